"""`letters.yaml`: the wording of letters, from a day on, in each language."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chamberlain.casework.letters.fields import FIELDS
from chamberlain.casework.letters.operations import NewTemplate
from chamberlain.casework.letters.wording import check
from chamberlain.cities.fields import Code, Name, Source, Strict
from chamberlain.kernel.errors import BadRecord, Invalid


class Wording(Strict):
    """A letter in one language. body: paragraphs between empty lines, fields in braces."""

    language: Literal["en", "es"]
    subject: Annotated[str, Field(min_length=1, max_length=120)]
    body: Annotated[str, Field(min_length=1, max_length=8000)]


class LetterTerms(Strict):
    """A kind of letter from a day on. takes_note: whether a clerk may add words of their own."""

    code: Code
    name: Name
    starts_on: Annotated[date, Field(alias="from")]
    takes_note: bool
    wordings: Annotated[tuple[Wording, ...], Field(min_length=1)]
    source: Source
    verified: bool

    @model_validator(mode="after")
    def _once(self) -> "LetterTerms":
        languages = [each.language for each in self.wordings]
        if len(set(languages)) < len(languages):
            raise ValueError("wordings: a language appears more than once")
        if "en" not in languages:
            raise ValueError("wordings: English is missing, which other holders get")
        return self

    def templates(self) -> list[NewTemplate]:
        """As letters take them."""
        return [
            NewTemplate(
                self.code, each.language, self.starts_on, self.name, each.subject, each.body,
                self.takes_note, self.source, self.verified,
            )
            for each in self.wordings
        ]  # fmt: skip


class LettersFile(Strict):
    """`letters.yaml`."""

    letters: tuple[LetterTerms, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "LettersFile":
        kinds = [(each.code, each.starts_on) for each in self.letters]
        if len(set(kinds)) < len(kinds):
            raise ValueError("a letter begins twice on the same day")
        return self

    def faults(self) -> list[BadRecord]:
        """Fields that there are not, and braces that are not closed."""
        found = []
        for place, letter in enumerate(self.letters):
            for number, wording in enumerate(letter.wordings):
                for name in ("subject", "body"):
                    try:
                        check(getattr(wording, name), FIELDS)
                    except Invalid as refusal:
                        where = f"letters.yaml letters.{place}.wordings.{number}.{name}"
                        found.append(BadRecord(where, refusal.sentence))
        return found

    def figures(self) -> list[tuple[str, bool]]:
        """Each letter with its source, and whether somebody verified it."""
        return [(f"Letter: {each.name} ({each.source})", each.verified) for each in self.letters]
