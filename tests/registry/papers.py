"""Files as customers bring them, made for the tests, and a property to bring them for."""

import io

from PIL import Image
from pypdf import PdfWriter

from chamberlain.identity.actors import program_actor
from chamberlain.registry import operations
from chamberlain.registry.models import PropertyType


def pdf(pages: int = 1, title: str = "Warranty deed") -> bytes:
    """A PDF of empty pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(612, 792)
    writer.add_metadata({"/Title": title})
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    """The bytes of a PDF."""
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (320, 200)) -> bytes:
    """A picture of one color."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 210, 220)).save(file, kind)
    return file.getvalue()


def property_types() -> None:
    """Three types: of two units, of any number, of none."""
    for code, name, least, most in (
        ("two_flat", "Two-flat", 2, 2),
        ("apartments", "Apartment building", 4, None),
        ("vacant", "Vacant land", 0, 0),
        ("four_or_less", "Two to four flats", 2, 4),
    ):
        PropertyType.objects.get_or_create(
            code=code, defaults={"name": name, "least_units": least, "most_units": most}
        )


def two_flat() -> int:
    """A two-flat; its id."""
    property_types()
    return operations.register_property(
        program_actor(), "14-20-100-001-0000", "4415 N Kedzie Ave", "60625", "two_flat", 2
    )
