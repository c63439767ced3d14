"""Codes that are printed on bills and told with applications; none of them is kept.

A code is a keyed digest of what it stands on, cut to ten letters and digits (50 bits). Whoever
has the key prints the same code again; without it a code tells nothing about any other one. While
a key is being changed, codes of the keys before (`SECRET_KEY_FALLBACKS`) hold too.
"""

import hmac
from hashlib import sha256

from django.conf import settings

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH = 10


def bill_code(bill_id: int, number: str) -> str:
    """The code of a bill as it is printed: `7K2MQ-94XTD`."""
    return _grouped(_code(settings.SECRET_KEY, f"bill {bill_id} {number}"))


def application_code(number: str) -> str:
    """The code that is told with the number of an application for a certificate."""
    return _grouped(_code(settings.SECRET_KEY, f"application {number}"))


def is_code_of_bill(typed: str, bill_id: int, number: str) -> bool:
    """Whether somebody typed the code of this bill, with or without the hyphen."""
    return _is_code(typed, f"bill {bill_id} {number}")


def is_code_of_application(typed: str, number: str) -> bool:
    """Whether somebody typed the code of this application."""
    return _is_code(typed, f"application {number}")


def _is_code(typed: str, what: str) -> bool:
    given = "".join(letter for letter in typed.upper() if letter.isalnum()).encode()
    keys = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    return any(hmac.compare_digest(given, _code(key, what).encode()) for key in keys)


def _code(key: str, what: str) -> str:
    digest = hmac.digest(key.encode(), f"chamberlain code: {what}".encode(), sha256)
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_LENGTH])


def _grouped(code: str) -> str:
    return f"{code[:5]}-{code[5:]}"
