"""Letters and templates as pages show them."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import NotFound
from chamberlain.registry import storage


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter as sent."""

    number: str
    account_number: str
    written_on: date
    addressed_to: list[str]
    is_paperless: bool
    subject: str
    text: str
    template: str
    version: int
    language: str
    digest: str
    sent_by: str
    sent_at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A version of a template."""

    template_id: int
    code: str
    name: str
    language: str
    version: int
    starts_on: date
    subject: str
    body: str
    status: str
    written_by: str
    decided_by: str

    @property
    def takes_paragraph(self) -> bool:
        """Whether the writer may add a paragraph."""
        return "free_paragraph" in self.body


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


_LETTERS = """
    SELECT l.number, a.number, l.written_on, l.addressed_to, l.is_paperless, l.subject, l.text,
        t.name, t.version, t.language, l.digest, coalesce(nullif(u.display_name, ''), u.username),
        l.sent_at, t.code
    FROM letters_letter l JOIN ledger_account a ON a.id = l.account_id
    JOIN letters_template t ON t.id = l.template_id JOIN identity_user u ON u.id = l.sent_by_id
"""
_TEMPLATES = """
    SELECT t.id, t.code, t.name, t.language, t.version, t.starts_on, t.subject, t.body, t.status,
        coalesce(nullif(w.display_name, ''), w.username),
        coalesce(nullif(d.display_name, ''), d.username, '')
    FROM letters_template t JOIN identity_user w ON w.id = t.written_by_id
    LEFT JOIN identity_user d ON d.id = t.decided_by_id
"""

_BATCHES = """
    SELECT b.id, (SELECT t.name FROM letters_template t WHERE t.code = b.code
            AND t.status = 'approved' AND t.starts_on <= b.day
            ORDER BY t.language <> 'en', t.starts_on DESC, t.version DESC LIMIT 1),
        b.day, b.asked, b.status, coalesce(nullif(u.display_name, ''), u.username), b.asked_at,
        (SELECT count(*) FROM letters_batchaccount x WHERE x.batch_id = b.id),
        (SELECT count(*) FROM letters_letter x WHERE x.batch_id = b.id),
        (SELECT count(*) FROM letters_batchaccount x
            WHERE x.batch_id = b.id AND x.left_out <> '')
    FROM letters_batch b JOIN identity_user u ON u.id = b.asked_by_id
"""


def letters_of_account(account_id: int, limit: int = 50, offset: int = 0) -> list[LetterRow]:
    """Letters to an account, the newest first."""
    query = _LETTERS + "WHERE l.account_id = %s ORDER BY l.id DESC LIMIT %s OFFSET %s"
    return [LetterRow(*row) for row in rows(query, [account_id, limit, offset])]


def count_letters(account_id: int) -> int:
    """How many letters an account was sent."""
    query = "SELECT count(*) FROM letters_letter WHERE account_id = %s"
    return int(rows(query, [account_id])[0][0])


def letter(number: str) -> LetterRow:
    """One letter. Raises NotFound."""
    found = rows(_LETTERS + "WHERE l.number = %s", [number])
    if not found:
        raise NotFound(f"There is no letter {number[:16]}; look at the account's letters.")
    return LetterRow(*found[0])


def letter_file(actor: Actor, number: str) -> bytes:
    """The file of a letter, the bytes that were sent. Raises NotFound, NotPermitted, Refused."""
    actor.require("contact.view")
    return storage.fetch(letter(number).digest)


def template_versions() -> list[TemplateRow]:
    """Every version of every template, by name and language, the newest first."""
    query = _TEMPLATES + "ORDER BY t.code, t.language, t.version DESC"
    return [TemplateRow(*row) for row in rows(query, [])]


def templates_for(language: str, day: date) -> list[TemplateRow]:
    """What may be written on a day: one version of each, in the language or else in English."""
    query = f"""
        SELECT DISTINCT ON (f.code) f.* FROM ({_TEMPLATES}
            WHERE t.status = 'approved' AND t.starts_on <= %s AND t.language IN (%s, 'en')
            ) f (id, code, name, language, version, starts_on, subject, body, status, w, d)
        ORDER BY f.code, f.language <> %s, f.starts_on DESC, f.version DESC
    """
    return [TemplateRow(*row) for row in rows(query, [day, language, language])]


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
