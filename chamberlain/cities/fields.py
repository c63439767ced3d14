"""Fields that the city's files are made of: codes, names, amounts, percents, strict mappings."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from chamberlain.kernel.money import LARGEST_CENTS, cents_of

Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,24}$")]
CenterCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")]
FeeCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,48}$")]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Source = Annotated[str, Field(min_length=1, max_length=300)]


def _amount(value: Any) -> int:
    """Dollars written as text, in whole cents."""
    if not isinstance(value, str):
        raise ValueError('write the amount in quotes, such as "50.00", so that it stays exact')
    try:
        dollars = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"“{value}” is not an amount of dollars") from None
    exponent = dollars.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -2 or not 0 < dollars * 100 <= LARGEST_CENTS:
        raise ValueError(f"“{value}” is not a positive amount of dollars and cents")
    return int(cents_of(dollars))


def _percent(value: Any) -> Decimal:
    if not isinstance(value, str):
        raise ValueError('write the percent in quotes, such as "1.25", so that it stays exact')
    try:
        percent = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"“{value}” is not a percent") from None
    if not percent.is_finite() or not 0 <= percent <= 100:
        raise ValueError(f"“{value}” is not a percent from 0 to 100")
    return percent


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"“{value}” is not a time zone such as America/Chicago")
    return value


ZoneName = Annotated[str, AfterValidator(_zone)]
Amount = Annotated[int, BeforeValidator(_amount)]
Percent = Annotated[Decimal, BeforeValidator(_percent)]


class Strict(BaseModel):
    """A mapping without any field that is not named."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
