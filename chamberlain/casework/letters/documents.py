"""A letter as PDF/UA-1, by Typst."""

from pathlib import Path

from django.conf import settings

from chamberlain.casework.letters.wording import Block
from chamberlain.kernel import paper

TEMPLATE = Path(__file__).parent / "templates" / "letter.typ"


def letter_pdf(
    subject: str,
    blocks: tuple[Block, ...],
    addressed_to: tuple[str, ...],
    values: dict[str, str],
    language: str,
    number: str = "",
) -> bytes:
    """The file of a letter. Everything merged goes in as data; number: "" for a preview."""
    return paper.pdf(
        TEMPLATE,
        {
            "city": settings.CITY_NAME,
            "title": subject,
            "subject": subject,
            "language": language,
            "number": number,
            "account": values["account_number"],
            "written_on": values["letter_date"],
            "addressed_to": list(addressed_to),
            "blocks": [{"kind": block.kind, "items": list(block.items)} for block in blocks],
        },
    )
