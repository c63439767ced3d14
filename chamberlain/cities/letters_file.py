"""`letters.yaml`: the wording of letters, in each language."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.casework.letters.operations import ENGLISH, Wording
from chamberlain.casework.letters.wording import check_wording
from chamberlain.cities.fields import Code, Name, Source, Strict
from chamberlain.kernel.errors import Invalid

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[a-z]{2,6})?$")]


class Words(Strict):
    """A letter in one language; `{{ balance }}` is a merge field."""

    subject: str
    body: str

    @model_validator(mode="after")
    def _known(self) -> "Words":
        try:
            check_wording(self.subject, self.body)
        except Invalid as wrong:
            raise ValueError(wrong.sentence) from wrong
        return self


class LetterFile(Strict):
    """A letter that the office writes, from a day on."""

    code: Code
    name: Name
    starts_on: Annotated[date, Field(alias="from")]
    source: Source
    verified: bool
    wordings: dict[Language, Words]

    @model_validator(mode="after")
    def _has_english(self) -> "LetterFile":
        if ENGLISH not in self.wordings:
            raise ValueError("wordings: give the English one; it stands in for languages without")
        return self


class LettersFile(Strict):
    """`letters.yaml`."""

    letters: tuple[LetterFile, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "LettersFile":
        codes = [each.code for each in self.letters]
        if len(set(codes)) < len(codes):
            raise ValueError("a code appears more than once")
        return self

    def templates(self) -> list[Wording]:
        """As the letters take them."""
        return [
            Wording(
                each.code, each.name, language, each.starts_on,
                words.subject.strip(), words.body.strip(), each.source,
            )
            for each in self.letters
            for language, words in each.wordings.items()
        ]  # fmt: skip

    def figures(self) -> list[tuple[str, bool]]:
        """Each letter with its source, and whether somebody verified its wording."""
        return [(f"Letter: {each.name} ({each.source})", each.verified) for each in self.letters]
