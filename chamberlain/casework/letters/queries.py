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


_LETTERS = """
    SELECT l.number, a.number, l.written_on, l.addressed_to, l.is_paperless, l.subject, l.text,
        t.name, t.version, t.language, l.digest, coalesce(nullif(u.display_name, ''), u.username),
        l.sent_at
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
