"""The line in magnetic ink at the bottom of a check: routing number, account, check number. Pure.

A scanner types it with a sign for each of the four symbols of the font E-13B. Two ways of writing
them are read: the characters of Unicode, and the letters of point-of-sale drivers (UnifiedPOS,
raw data of “MICR”): t for transit, o for on-us, a for amount, - for the dash.

    personal   t021000021t 123456789o 1001
    business   o001001o t021000021t 123456789o
"""

import re
from dataclasses import dataclass

from chamberlain.kernel.errors import Invalid

LONGEST = 90
_UNICODE = str.maketrans({"⑆": "t", "⑈": "o", "⑇": "a", "⑉": "-"})
_TRANSIT = re.compile(r"t([0-9]+)t")
_SYMBOLS = re.compile(r"[toa]")
_WEIGHTS = (3, 7, 1) * 3


@dataclass(frozen=True, slots=True)
class BankLine:
    """What the line says. number: "" when it has none."""

    routing: str
    account: str
    number: str

    @property
    def account_end(self) -> str:
        """The last four digits of the account, as it is shown."""
        return self.account[-4:]


def is_bank_line(text: str) -> bool:
    """Whether a text has symbols of the line, rather than being a check's number."""
    return _TRANSIT.search(_plain(text)) is not None


def is_routing_number(text: str) -> bool:
    """Whether it is a routing number whose check digit holds.

    Source: American Bankers Association, routing number policy: three times the first, fourth and
    seventh digit, seven times the second, fifth and eighth, once the rest, is a multiple of ten.
    """
    if len(text) != len(_WEIGHTS) or not (text.isascii() and text.isdigit()) or text == "0" * 9:
        return False
    digits = (int(digit) for digit in text)
    return sum(w * digit for w, digit in zip(_WEIGHTS, digits, strict=True)) % 10 == 0


def read(text: str, field: str = "reference") -> BankLine:
    """What a scanned or typed line says.

    Raises Invalid for a routing number that is wrong, or a line without account or number.
    """
    line = _plain(text)
    found = _TRANSIT.search(line)
    if found is None or len(text) > LONGEST:
        raise Invalid("This is no bottom line of a check; scan it again.", field=field)
    routing = found.group(1)
    if not is_routing_number(routing):
        raise Invalid(
            f"{routing} is no routing number of a bank: its check digit is wrong. Scan the check "
            "again, or look whether it was altered.",
            field=field,
        )
    before, after = line[: found.start()], line[found.end() :]
    account, _, rest = after.partition("o")
    number = _digits(before) or _digits(rest.partition("a")[0])
    account = _digits(account)
    if not 3 <= len(account) <= 17:
        raise Invalid("The check's line has no account; scan it again.", field=field)
    if not 1 <= len(number) <= 15:
        raise Invalid("The check's line has no check number; type the number too.", field=field)
    return BankLine(routing, account, number.lstrip("0") or "0")


def _plain(text: str) -> str:
    return text.translate(_UNICODE).lower().replace(" ", "")


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", _SYMBOLS.sub("", text))
