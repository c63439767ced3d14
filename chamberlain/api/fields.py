"""Fields that several operations share: numbers, keys, whole cents, pages of lists."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Generic, TypeVar

from ninja import Header, Path, Query, Schema
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import LARGEST_CENTS

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
        pattern=r"^[A-Za-z0-9_\-]{0,32}$",
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


Day = Annotated[date, BeforeValidator(_iso_day)]
Cents = Annotated[int, Field(strict=True, ge=1, le=LARGEST_CENTS, description="Whole cents")]
AccountNumber = Annotated[str, Field(strict=True, pattern=_NUMBER)]
ChargeId = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]
CenterCode = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9\-]{1,8}$")]


class Body(Schema):
    """A body; a field that is not known is an error, not silently dropped."""

    model_config = ConfigDict(extra="forbid")


class Page(Schema, Generic[T]):
    """Part of a list. `next` is the cursor of the next part, null at the end."""

    items: list[T]
    next: str | None


def offset_of(cursor: str) -> int:
    """Where a page begins. Raises Invalid for a cursor that no answer gave."""
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        start = int(text.removeprefix("from:")) if text.startswith("from:") else -1
    except (ValueError, binascii.Error):
        start = -1
    if not 0 < start < 10**9:
        raise Invalid("The cursor is not one that this API gave; begin without.", field="cursor")
    return start


def cursor_at(offset: int) -> str:
    """The cursor of a page that begins there."""
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode().rstrip("=")


def page_of(found: Sequence[T], offset: int, limit: int) -> tuple[list[T], str | None]:
    """The items of a page and the next cursor, when one more than `limit` was asked for."""
    more = len(found) > limit
    return list(found[:limit]), cursor_at(offset + limit) if more else None
