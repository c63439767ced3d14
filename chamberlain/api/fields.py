"""Fields that several operations share: numbers, keys, whole cents, pages of lists."""

import re
import warnings
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Generic, TypeVar

from ninja import Header, Path, Query, Schema
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.kernel.money import LARGEST_CENTS

# A meter's register is called so here; that a class of models has a method of this name is of no
# consequence as long as such a field says its default.
warnings.filterwarnings("ignore", 'Field name "register" in', UserWarning)

LARGEST_ID = 2**63 - 1
LARGEST_PAGE = 200
_NUMBER = r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,23}$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

T = TypeVar("T")

Number = Annotated[str, Path(pattern=_NUMBER, description="As printed on the bill")]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most")]
Cursor = Annotated[
    str,
    Query(
        pattern=r"^([1-9][0-9]{0,8})?$",
        description="`next` of the page before; leave it out for the first page",
    ),
]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{8,200}$",
        description="Chosen by the sender, one for each thing to be done; sending it again with "
        "the same body does nothing again and gives the first answer",
    ),
]


def _iso_day(value: object) -> object:
    """Only text as 2026-03-02: a bare number would be taken for seconds since 1970."""
    if isinstance(value, date) or value is None:
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("write the day as YYYY-MM-DD")
    return value


def whole(value: object) -> object:
    """A whole number of JSON, which may be written as 3875.0; never text, never true."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("write a whole number")
    return value


Day = Annotated[date, BeforeValidator(_iso_day)]
Cents = Annotated[
    int, Field(ge=1, le=LARGEST_CENTS, description="Whole cents"), BeforeValidator(whole)
]
AccountNumber = Annotated[str, Field(strict=True, pattern=_NUMBER)]
ChargeId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(whole)]
Months = Annotated[int, Field(ge=1, le=24), BeforeValidator(whole)]
CenterCode = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9\-]{1,8}$")]


class Body(Schema):
    """A body; a field that is not known is an error, not silently dropped."""

    model_config = ConfigDict(extra="forbid")


class Page(Schema, Generic[T]):
    """Part of a list. `next` is the cursor of the next part, null at the end."""

    items: list[T]
    next: str | None


def offset_of(cursor: str) -> int:
    """Where a page begins; a cursor is the place of its first row in the list."""
    return int(cursor or 0)


def page_of(found: Sequence[T], offset: int, limit: int) -> tuple[list[T], str | None]:
    """The items of a page and the next cursor, when one more than `limit` was asked for."""
    more = len(found) > limit
    return list(found[:limit]), str(offset + limit) if more else None


Text = Annotated[str, Field(strict=True, pattern=r"^[^\x00-\x1f]{1,140}$")]
Code = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_.\-]{1,40}$")]
DocumentNumber = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,39}$")]
S = TypeVar("S", bound=Schema)


def shown(schema: type[S], row: object, **other: object) -> S:
    """A row of a query as the API answers it; other: fields that the row calls by another name."""
    same = {
        name: getattr(row, name)
        for name in schema.model_fields
        if name not in other and hasattr(row, name)
    }
    return schema(**same, **other)
