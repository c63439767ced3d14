"""Where documents lie: outside of what the web serves, each under the digest of its content."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from chamberlain.kernel.errors import Refused


def store(digest: str, data: bytes) -> None:
    """Puts a file away under its digest. The same content is there once, however often it comes."""
    store_all({digest: data})


def store_all(files: Mapping[str, bytes]) -> None:
    """Puts files away by digest; they are on the disk when it returns, by one wait for all."""
    written: list[tuple[Path, Path]] = []
    for digest, data in files.items():
        place = _place(digest)
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, path = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if len(files) == 1:
                os.fsync(file.fileno())
        written.append((Path(path), place))
    if len(files) > 1:
        os.sync()
    for new, place in written:
        new.replace(place)


def fetch(digest: str) -> bytes:
    """The file with that digest. Raises Refused when it is gone or is not what was put away."""
    place = _place(digest)
    data = place.read_bytes() if place.is_file() else b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise Refused(
            "The file of this document is missing or was altered since it came in; tell whoever "
            "runs the program, who can bring it back from a backup."
        )
    return data


def _place(digest: str) -> Path:
    return Path(settings.MEDIA_ROOT) / digest[:2] / digest
