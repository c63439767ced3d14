"""Letters as PDF/UA-1, by Typst: one to a file as it is kept, or many for the printer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from chamberlain.kernel import paper

TEMPLATE = Path(__file__).parent / "templates" / "letter.typ"


@dataclass(frozen=True, slots=True)
class Written:
    """A letter's words as they are printed. reference: its number and the account's."""

    language: str
    written_on: str
    reference: str
    addressee: str
    address: str
    subject: str
    text: str


def letter_pdf(letters: Sequence[Written]) -> bytes:
    """The letters as one file, each from a page of its own on."""
    return paper.pdf(TEMPLATE, letter_data(letters))


def letter_data(letters: Sequence[Written]) -> dict[str, Any]:
    """What the template prints."""
    first = letters[0]
    return {
        "city": settings.CITY_NAME,
        "language": first.language,
        "title": first.subject if len(letters) == 1 else f"{len(letters)} letters",
        "letters": [
            {
                "language": each.language,
                "written_on": each.written_on,
                "reference": each.reference,
                "addressee": each.addressee,
                "address": each.address,
                "subject": each.subject,
                "paragraphs": paragraphs(each.text),
            }
            for each in letters
        ],
    }


def paragraphs(text: str) -> list[str]:
    """A text's paragraphs, which empty lines part."""
    parts = text.replace("\r\n", "\n").split("\n\n")
    return [" ".join(part.split()) for part in parts if part.strip()]
