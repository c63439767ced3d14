"""Finds accounts by what a caller says: a number, a name, an address, a phone, a parcel.

How it stays quick at a million accounts:
- Digits are looked up from the left in the digits of account numbers, parcels and phones. When
  nothing is found, every number one typing error away is looked up (some two hundred look-ups).
- A mistyped word is compared by its trigrams with the words in use, which are some ten thousand,
  and not with a million names. The words it may stand for are then looked up exactly in an index
  over the words of all names and addresses, all typed words at once.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from chamberlain.database.rows import rows as _rows
from chamberlain.registry.spelling import allowed_edits, edits, number_variants, swapped

LONGEST_TEXT = 100
LARGEST_LIMIT = 100
_MOST_WORDS = 6
_MOST_SPELLINGS = 12
_CANDIDATES = 200
_SEPARATORS = re.compile(r"[\s,.;:/\\#&()\[\]\"_–—-]+")
_APOSTROPHES = str.maketrans("", "", "'’`")


@dataclass(frozen=True, slots=True)
class Found:
    """An account that fits. matched: account, name, address, phone or parcel."""

    account_id: int
    account_number: str
    customer_name: str
    address: str
    matched: str
    owed_cents: int


def search(text: str, limit: int = 20) -> list[Found]:
    """Accounts that fit a typed text, the best first; nothing for an empty text.

    text: at most LONGEST_TEXT characters are looked at. limit: at most LARGEST_LIMIT.
    """
    text = text[:LONGEST_TEXT].replace("\x00", "").strip()
    limit = max(1, min(limit, LARGEST_LIMIT))
    if not text:
        return []
    with transaction.atomic():
        matches = _by_number(text, limit)
        if len(matches) < limit:
            matches += _by_words(text, limit)
        return _shown(matches, text, limit)


@dataclass(frozen=True, slots=True)
class ToPay:
    """What a cashier chooses from. more: how many fit besides; is_cut: there may be still more."""

    shown: list[Found]
    more: int
    is_cut: bool


def search_to_pay(text: str, limit: int) -> ToPay:
    """Accounts that fit a typed text, for who takes money: exact ones first, of them who owe first.

    An account is exact when its number is what was typed, or when its holder's name or its address
    has every typed word as a word of its own.
    """
    found = search(text, LARGEST_LIMIT)
    typed = _plain_words(text)
    ordered = sorted(found, key=lambda row: (_rank_to_pay(row, text, typed), row.owed_cents <= 0))
    return ToPay(ordered[:limit], max(0, len(found) - limit), len(found) == LARGEST_LIMIT)


def _rank_to_pay(row: Found, text: str, typed: set[str]) -> int:
    """0 for the very number, 1 for every word as typed or a number that begins so, 2 for others."""
    if row.account_number.upper() == text.strip().upper():
        return 0
    if row.matched not in ("name", "address"):
        return 1
    has_all = any(typed <= _plain_words(side) for side in (row.customer_name, row.address))
    return 1 if has_all else 2


Match = tuple[str, int, int]  # how it matched, account id, rank: the lowest first

_NUMBER_SQL = """
    (SELECT 'account', id, CASE WHEN number = %(upper)s THEN 0 ELSE 1 END FROM ledger_account
     WHERE number LIKE %(upper_start)s LIMIT %(limit)s)
    UNION ALL
    (SELECT 'account', id, 1 FROM ledger_account
     WHERE %(is_number)s AND ltrim(registry_digits(number), '0') LIKE %(bare)s LIMIT %(limit)s)
    UNION ALL
    (SELECT 'parcel', h.account_id, 1 FROM (
        SELECT id FROM registry_property
        WHERE %(is_number)s AND registry_digits(parcel_number) LIKE %(digits)s LIMIT %(limit)s) p
     JOIN registry_accountholding h ON h.property_id = p.id LIMIT %(limit)s)
    UNION ALL
    (SELECT 'phone', h.account_id, 1 FROM (
        SELECT customer_id FROM registry_contact
        WHERE %(is_number)s AND kind = 'phone' AND value LIKE %(phone)s LIMIT %(limit)s) c
     JOIN registry_accountholding h ON h.customer_id = c.customer_id LIMIT %(limit)s)
    UNION ALL
    (SELECT 'phone', h.account_id, 1 FROM (
        SELECT customer_id FROM registry_contact
        WHERE %(is_local)s AND kind = 'phone' AND "right"(value, 7) = %(local)s LIMIT %(limit)s) c
     JOIN registry_accountholding h ON h.customer_id = c.customer_id LIMIT %(limit)s)
"""

_VARIANTS_SQL = """
    (SELECT 'account', id, 2 FROM ledger_account
     WHERE ltrim(registry_digits(number), '0') = ANY(%(bare)s) LIMIT %(limit)s)
    UNION ALL
    (SELECT 'parcel', h.account_id, 2 FROM (
        SELECT id FROM registry_property
        WHERE registry_digits(parcel_number) = ANY(%(digits)s) LIMIT %(limit)s) p
     JOIN registry_accountholding h ON h.property_id = p.id LIMIT %(limit)s)
    UNION ALL
    (SELECT 'phone', h.account_id, 2 FROM (
        SELECT customer_id FROM registry_contact
        WHERE kind = 'phone' AND value = ANY(%(digits)s) LIMIT %(limit)s) c
     JOIN registry_accountholding h ON h.customer_id = c.customer_id LIMIT %(limit)s)
"""


def _by_number(text: str, limit: int) -> list[Match]:
    digits = re.sub(r"[^0-9]", "", text)
    upper = text.upper()
    is_number = len(digits) >= 3 and (not re.search(r"[^\W\d_]", text) or _is_account_like(upper))
    if not is_number and not re.fullmatch(r"[A-Z0-9-]{3,24}", upper):
        return []
    phone = digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
    found = _rows(
        _NUMBER_SQL,
        {
            "upper": upper,
            "upper_start": re.sub(r"([%_\\])", r"\\\1", upper) + "%",
            "is_number": is_number,
            "bare": (digits.lstrip("0") or "0") + "%",
            "digits": digits + "%",
            "phone": phone + "%",
            "is_local": is_number and len(digits) == 7,
            "local": digits,
            "limit": limit,
        },
    )
    if found or not is_number or not 5 <= len(digits) <= 15:
        return found
    variants = number_variants(phone)
    bare = [variant.lstrip("0") or "0" for variant in variants]
    return _rows(_VARIANTS_SQL, {"bare": bare, "digits": variants, "limit": limit})


def _is_account_like(upper: str) -> bool:
    """Letters before digits only, as in SM-025886."""
    return re.fullmatch(r"[A-Z]{1,4}[- ]?[0-9-]{3,}", upper) is not None


def _plain(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.replace("ł", "l").replace("Ł", "L").translate(_APOSTROPHES).lower()


def _plain_words(text: str) -> set[str]:
    return {word for word in _SEPARATORS.split(_plain(text)) if word}


def _by_words(text: str, limit: int) -> list[Match]:
    plain = _plain(text)
    words = [word for word in _SEPARATORS.split(plain) if word][:_MOST_WORDS]
    # A direction such as the N of N Clark St stands in a quarter of all addresses: it would cost
    # more than it tells. The order of what is found still goes by the whole text.
    words = [word for word in words if len(word) > 1]
    if not words:
        return []
    spellings = _spellings([word for word in words if not _has_digit(word)])
    matches: list[Match] = []
    for is_name, query in ((True, _NAMES_SQL), (False, _ADDRESSES_SQL)):
        allowed = {word: s for (word, named), s in spellings.items() if named is is_name}
        # Of a common name there are more than enough as typed; others would only crowd them out.
        as_typed = {word: [w for w in allowed[word] if w == word] for word in allowed}
        found: list[Match] = []
        for tsquery in dict.fromkeys((_tsquery(words, as_typed), _tsquery(words, allowed))):
            if tsquery and len(found) < limit:
                found += _rows(query, {"words": tsquery, "text": plain, "limit": _CANDIDATES})
        matches += found
    return matches


_WORDS_SQL = """
    (SELECT word, is_name FROM registry_searchword WHERE word = ANY(%(swapped)s))
    UNION
    (SELECT word, is_name FROM registry_searchword WHERE word LIKE %(start)s LIMIT 40)
    UNION
    (SELECT word, is_name FROM registry_searchword WHERE word %% %(word)s
     ORDER BY similarity(word, %(word)s) DESC LIMIT 60)
"""


def _spellings(words: Sequence[str]) -> dict[tuple[str, bool], list[str]]:
    """The words in use that each typed word may stand for, those of names apart from addresses.

    A word in use that was typed right stands for itself and for what begins with it.
    """
    found: dict[tuple[str, bool], list[str]] = {}
    if not words:
        return found
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL pg_trgm.similarity_threshold = 0.2")
    for word in words:
        start = re.sub(r"([%_\\])", r"\\\1", word) + "%"
        rows = _rows(_WORDS_SQL, {"word": word[:40], "start": start, "swapped": swapped(word)})
        for named in (True, False):
            in_use = [other for other, is_name in rows if is_name is named]
            found[word, named] = _nearest(word, in_use)
    return found


def _nearest(word: str, in_use: Sequence[str]) -> list[str]:
    scored = []
    for other in in_use:
        distance = 0 if other.startswith(word) and len(word) > 2 else edits(word, other)
        if distance <= allowed_edits(word):
            scored.append((distance, abs(len(other) - len(word)), other))
    return [other for _, _, other in sorted(scored)[:_MOST_SPELLINGS]]


def _tsquery(words: Sequence[str], spellings: dict[str, list[str]]) -> str:
    """All typed words, each in any of its spellings; "" when one has none."""
    parts = []
    for word in words:
        options = spellings.get(word, [word] if _has_digit(word) else [])
        if not options:
            return ""
        parts.append("(" + " | ".join(f"'{_quoted(option)}'" for option in options) + ")")
    return " & ".join(parts)


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace("'", "''")


def _has_digit(word: str) -> bool:
    return any(c.isdigit() for c in word)


_NAMES_SQL = """
    SELECT 'name', h.account_id, (10 + 1000 * (1 - similarity(c.name, %(text)s)))::int
    FROM (SELECT id, name FROM registry_customer
          WHERE array_to_tsvector(registry_words(name)) @@ %(words)s::tsquery
          LIMIT %(limit)s) c
    JOIN registry_accountholding h ON h.customer_id = c.id
    ORDER BY 3 LIMIT %(limit)s
"""

_ADDRESSES_SQL = """
    SELECT 'address', h.account_id, (10 + 1000 * (1 - similarity(p.address, %(text)s)))::int
    FROM (SELECT id, address FROM registry_property
          WHERE array_to_tsvector(registry_words(address)) @@ %(words)s::tsquery
          LIMIT %(limit)s) p
    JOIN registry_accountholding h ON h.property_id = p.id
    ORDER BY 3 LIMIT %(limit)s
"""

_SHOWN_SQL = """
    SELECT a.id, a.number, coalesce(c.name, ''), coalesce(p.address, ''), f.matched,
        coalesce(b.owed_cents, 0)
    FROM unnest(%(ids)s::bigint[], %(matched)s::text[]) WITH ORDINALITY AS f(id, matched, place)
    JOIN ledger_account a ON a.id = f.id
    LEFT JOIN LATERAL (
        SELECT customer_id, property_id FROM registry_accountholding h
        WHERE h.account_id = a.id ORDER BY lower(h.period) DESC LIMIT 1) h ON true
    LEFT JOIN registry_customer c ON c.id = h.customer_id
    LEFT JOIN registry_property p ON p.id = h.property_id
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    ORDER BY f.place
"""


def _shown(matches: Sequence[Match], text: str, limit: int) -> list[Found]:
    best: dict[int, Match] = {}
    for match in sorted(matches, key=lambda m: (m[2], m[1])):
        best.setdefault(match[1], match)
    chosen = list(best.values())[:limit]
    if not chosen:
        return []
    rows = _rows(_SHOWN_SQL, {"ids": [m[1] for m in chosen], "matched": [m[0] for m in chosen]})
    return [Found(*row) for row in rows]
