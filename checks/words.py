"""The office has one word for each thing; this is the table of words that it does not use."""

import re
from collections.abc import Iterator

from checks.tracked import LOCKS, text_files

RIGHT_WORDS = {
    "cheque": "check",
    "cheques": "checks",
    "meter reading": "read",
    "meter readings": "reads",
    "invoice": "bill",
    "invoices": "bills",
    "pre-rate": "rate",
    "pro-rate": "prorate",
    "pro-rating": "prorating",
    "pro-ration": "proration",
    "re-bill": "rebill",
    "re-bills": "rebills",
    "till drawer": "till",
    "cash register": "till",
    "over/short": "over or short",
    "customer id": "account number",
    "customer number id": "account number",
    "payment centre": "payment center",
    "payment centres": "payment centers",
    "login page": "sign-in page",
    "log in page": "sign-in page",
    "back end": "say which part",
    "dunning": "collection",
    "clear text": "plain text",
}

_WRONG = {
    wrong: re.compile(rf"(?<![\w/.-]){re.escape(wrong)}(?![\w/-])", re.IGNORECASE)
    for wrong in RIGHT_WORDS
}
_PROSE = (".py", ".md", ".html", ".yaml", ".sql", ".typ", ".toml")
_ELSEWHERE = ("checks/words.py", "tests/house/", "tests/data/", "LICENSE", *LOCKS)


def findings() -> Iterator[str]:
    """A sentence for each wrong word in code, pages, letters and docs."""
    for name, text in text_files(*_PROSE):
        if not name.startswith(_ELSEWHERE) and "/migrations/" not in name:
            yield from wrong_words(name, text)


def wrong_words(name: str, text: str) -> Iterator[str]:
    """The wrong words of one file."""
    for number, line in enumerate(text.splitlines(), 1):
        for wrong, pattern in _WRONG.items():
            if pattern.search(line):
                yield f"{name}:{number} says “{wrong}”; the office says “{RIGHT_WORDS[wrong]}”."
