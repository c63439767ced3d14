"""Templates, letters and batches, for pages."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import NotFound
from chamberlain.registry import storage


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A wording that is in force on a day."""

    code: str
    language: str
    starts_on: date
    name: str
    subject: str
    body: str
    takes_note: bool
    source: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter as lists show it."""

    number: str
    account_id: int
    account_number: str
    name: str
    subject: str
    addressee: str
    address: str
    written_on: date
    written_at: datetime
    written_by: str
    batch_id: int | None
    digest: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch of letters as lists show it."""

    batch_id: int
    name: str
    day: date
    asked: str
    status: str
    asked_by: str
    asked_at: datetime
    accounts: int
    letters: int
    left_out: int

    @property
    def done(self) -> int:
        """Accounts that are dealt with."""
        return self.letters + self.left_out


_TEMPLATES = """
    SELECT DISTINCT ON (code, language <> 'en', language) code, language, starts_on, name, subject,
        body, takes_note, source, is_verified
    FROM letters_template WHERE starts_on <= %s
    ORDER BY code, language <> 'en', language, starts_on DESC
"""
_LETTERS = """
    SELECT l.number, l.account_id, a.number, t.name, l.subject, l.addressee, l.address,
        l.written_on, l.written_at, coalesce(nullif(u.display_name, ''), u.username), l.batch_id,
        l.digest, l.text, l.language
    FROM letters_letter l
    JOIN ledger_account a ON a.id = l.account_id
    JOIN letters_template t ON t.id = l.template_id
    JOIN identity_user u ON u.id = l.written_by_id
"""
_BATCHES = """
    SELECT b.id, (SELECT t.name FROM letters_template t WHERE t.code = b.code
            AND t.starts_on <= b.day ORDER BY t.language <> 'en', t.starts_on DESC LIMIT 1),
        b.day, b.asked, b.status, coalesce(nullif(u.display_name, ''), u.username), b.asked_at,
        (SELECT count(*) FROM letters_batchaccount x WHERE x.batch_id = b.id),
        (SELECT count(*) FROM letters_letter x WHERE x.batch_id = b.id),
        (SELECT count(*) FROM letters_batchaccount x
            WHERE x.batch_id = b.id AND x.left_out <> '')
    FROM letters_batch b JOIN identity_user u ON u.id = b.asked_by_id
"""


def templates(day: date) -> list[TemplateRow]:
    """The wordings in force on a day, by code, English first."""
    return [TemplateRow(*row) for row in rows(_TEMPLATES, [day])]


def letter(number: str) -> LetterRow:
    """A letter by its number. Raises NotFound."""
    found = rows(_LETTERS + "WHERE l.number = %s", [number])
    if not found:
        raise NotFound(f"There is no letter {number[:16]}; look at the account.")
    return LetterRow(*found[0])


def letter_as_sent(actor: Actor, number: str) -> bytes:
    """The PDF that was sent. Raises NotPermitted, NotFound, and Refused when it is gone."""
    actor.require("contact.view")
    return storage.fetch(letter(number).digest)


def letters_of_account(account_id: int, limit: int = 50, offset: int = 0) -> list[LetterRow]:
    """Letters to an account, the newest first."""
    where = "WHERE l.account_id = %s ORDER BY l.id DESC LIMIT %s OFFSET %s"
    return [LetterRow(*row) for row in rows(_LETTERS + where, [account_id, limit, offset])]


def count_letters(account_id: int) -> int:
    """How many letters an account got."""
    query = "SELECT count(*) FROM letters_letter WHERE account_id = %s"
    return int(rows(query, [account_id])[0][0])


def batches(limit: int = 50, offset: int = 0) -> list[BatchRow]:
    """Batches, the newest first."""
    found = rows(_BATCHES + "ORDER BY b.id DESC LIMIT %s OFFSET %s", [limit, offset])
    return [BatchRow(*row) for row in found]


def count_batches() -> int:
    """How many batches there are."""
    return int(rows("SELECT count(*) FROM letters_batch", [])[0][0])


def batch(batch_id: int) -> BatchRow:
    """One batch. Raises NotFound."""
    found = rows(_BATCHES + "WHERE b.id = %s", [batch_id])
    if not found:
        raise NotFound(f"There is no batch {batch_id} of letters; look at the list.")
    return BatchRow(*found[0])


def left_out(batch_id: int, limit: int = 50, offset: int = 0) -> list[tuple[str, str]]:
    """Accounts of a batch that got no letter, and why."""
    query = """
        SELECT n.number, a.left_out FROM letters_batchaccount a
        JOIN ledger_account n ON n.id = a.account_id
        WHERE a.batch_id = %s AND a.left_out <> '' ORDER BY n.number LIMIT %s OFFSET %s
    """
    return [(row[0], row[1]) for row in rows(query, [batch_id, limit, offset])]
