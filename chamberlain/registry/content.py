"""What an uploaded file really is, told by its content and not by its name.

PDF, PNG and JPEG are taken. A file whose content is not what its name says, one that cannot be
read to its end, is locked by a password, starts programs or is too large is refused.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import PurePosixPath

from PIL import Image
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import DictionaryObject, PdfObject

from chamberlain.kernel.errors import Invalid

LARGEST_BYTES = 10 * 1024 * 1024
LARGEST_PIXELS = 40_000_000
LARGEST_PAGES = 500
_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_BEGINNINGS = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
_WORDS = {"application/pdf": "PDF", "image/png": "PNG picture", "image/jpeg": "JPEG picture"}
# What parsers raise on files that were cut off or made to mislead.
_BROKEN = (PyPdfError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError,
           SyntaxError, RecursionError, Image.DecompressionBombError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """A file that was looked at: its SHA-256 digest in hexadecimal, type, size and pages."""

    digest: str
    media_type: str
    size_bytes: int
    pages: int


def content_of(name: str, data: bytes) -> Content:
    """Looks at a file's content. name: the file's own name. Raises Invalid beside `file`."""
    if not data:
        raise _wrong("The file is empty; choose the file of the document.")
    if len(data) > LARGEST_BYTES:
        raise _wrong(
            f"The file has more than {LARGEST_BYTES // 1024**2} MB; scan it with a lower "
            "resolution or in parts."
        )
    promised = _TYPES.get(PurePosixPath(name).suffix.lower())
    if promised is None:
        raise _wrong("A document is a PDF, PNG or JPEG file; save it as one of these.")
    media_type = next((t for t, start in _BEGINNINGS.items() if data.startswith(start)), None)
    if media_type != promised:
        found = _WORDS[media_type] if media_type else "neither PDF, PNG nor JPEG"
        raise _wrong(
            f"The file's name says {_WORDS[promised]}, but its content is {found}; "
            "choose the right file."
        )
    pages = _pages(data) if media_type == "application/pdf" else _picture(data)
    return Content(hashlib.sha256(data).hexdigest(), media_type, len(data), pages)


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, field="file")


def _pages(data: bytes) -> int:
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise _wrong("The PDF is locked by a password; ask for one without.")
        root = reader.trailer["/Root"].get_object()
        starts_programs = isinstance(root, DictionaryObject) and _starts_programs(root)
        count = len(reader.pages)
    except _BROKEN as broken:
        raise _wrong("The PDF cannot be read to its end; scan or save it again.") from broken
    if starts_programs:
        raise _wrong("The PDF starts a program or carries files; print it to a new PDF.")
    if not 0 < count <= LARGEST_PAGES:
        raise _wrong(
            f"The PDF has {count} pages; a document has 1 to {LARGEST_PAGES}, so split it."
        )
    return count


def _starts_programs(root: DictionaryObject) -> bool:
    names, opening, forms = (_part(root, name) for name in ("/Names", "/OpenAction", "/AcroForm"))
    return bool(
        {"/JavaScript", "/EmbeddedFiles"} & names.keys()
        or opening.get("/S") in ("/JavaScript", "/Launch")
        or "/XFA" in forms
        or "/AA" in root
    )


def _part(root: DictionaryObject, name: str) -> DictionaryObject:
    found = root.get(name)
    whole = found.get_object() if isinstance(found, PdfObject) else None
    return whole if isinstance(whole, DictionaryObject) else DictionaryObject()


def _picture(data: bytes) -> int:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > LARGEST_PIXELS:
                raise _wrong(
                    f"The picture has more than {LARGEST_PIXELS // 1_000_000} million dots; "
                    "scan it with a lower resolution."
                )
            picture.load()
    except _BROKEN as broken:
        raise _wrong("The picture cannot be read to its end; scan or save it again.") from broken
    return 1
