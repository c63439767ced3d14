"""What people do with letters: load the city's templates, look at a letter, send it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from chamberlain.casework.letters.documents import Written, letter_pdf, paragraphs
from chamberlain.casework.letters.fields import FIELDS, Facts, facts_of, said_day
from chamberlain.casework.letters.models import Letter, Template
from chamberlain.casework.letters.wording import check, fields_in, fill
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.frames import next_ids
from chamberlain.ledger.queries import account_id_of
from chamberlain.registry import storage

NOTE_MAX = 600


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template as the city's files give it. body: paragraphs between empty lines."""

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
class Draft:
    """A letter as it would be sent, which writes nothing."""

    template_id: int
    facts: Facts
    subject: str
    text: str

    def written(self, number: str, day: date) -> Written:
        """As it is printed."""
        facts = self.facts
        return Written(
            facts.language,
            said_day(day, facts.language),
            f"{facts.values['account']} · {number}" if number else facts.values["account"],
            facts.addressee,
            facts.address,
            self.subject,
            self.text,
        )


class NothingToSay(Refused):
    """A letter names what the account does not have."""

    status = 422


def load_templates(actor: Actor, templates: Sequence[NewTemplate]) -> None:
    """Loads the city's templates. Loading again what is loaded changes nothing.

    Raises Invalid for a template with an unknown field or a brace that is not closed.
    """
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        for each in templates:
            check(each.subject, FIELDS)
            check(each.body, FIELDS)
            Template.objects.update_or_create(
                code=each.code,
                language=each.language,
                starts_on=each.starts_on,
                defaults={
                    "name": each.name,
                    "subject": each.subject,
                    "body": each.body.strip(),
                    "takes_note": each.takes_note,
                    "source": each.source,
                    "is_verified": each.is_verified,
                },
            )


def templates_on(code: str, day: date) -> dict[str, Template]:
    """The wordings of a kind of letter that are in force on a day, by language, English first.

    Raises NotFound.
    """
    found = {
        each.language: each
        for each in Template.objects.filter(code=code, starts_on__lte=day).order_by("starts_on")
    }
    if not found:
        raise NotFound(f"There is no letter {code[:24]}; choose one of the list.", field="code")
    return dict(sorted(found.items(), key=lambda pair: (pair[0] != "en", pair[0])))


def draft_letter(actor: Actor, account_number: str, code: str, note: str, day: date) -> Draft:
    """A letter to an account as it would be sent on a day.

    Raises NotFound (account, template), Invalid (a note that is too long or not taken),
    NothingToSay when the letter names what the account does not have.
    """
    actor.require("letter.write")
    wordings = templates_on(code, day)
    account_id = account_id_of(account_number)
    facts = facts_of([account_id], day, list(wordings))[account_id]
    return drafted(wordings, facts, checked_note(wordings, note))


def checked_note(wordings: dict[str, Template], note: str) -> str:
    """A note as it is put at the end of the letter. Raises Invalid."""
    said = "\n\n".join(paragraphs(note))
    if len(said) > NOTE_MAX:
        raise Invalid(f"Say it in at most {NOTE_MAX} characters.", field="note")
    if said and not all(each.takes_note for each in wordings.values()):
        raise Invalid("This letter takes no words of your own; leave them out.", field="note")
    return said


def drafted(wordings: dict[str, Template], facts: Facts, note: str) -> Draft:
    """One of the wordings filled with an account's facts. Raises NothingToSay."""
    template = wordings[facts.language]
    named = fields_in(template.subject) | fields_in(template.body)
    missing = sorted(name for name in named if not facts.values[name])
    if missing:
        raise NothingToSay(
            f"Account {facts.values['account']} has nothing for “{FIELDS[missing[0]]}”, which "
            "this letter names; choose another letter."
        )
    text = fill(template.body, facts.values)
    return Draft(
        template.pk,
        facts,
        fill(template.subject, facts.values),
        f"{text}\n\n{note}" if note else text,
    )


def send_letter(
    actor: Actor,
    account_number: str,
    code: str,
    note: str,
    day: date,
    now: datetime,
    idempotency_key: str,
) -> str:
    """Writes a letter to an account and keeps it as sent; returns its number.

    The same key returns the same letter. Raises what `draft_letter` raises.
    """
    actor.require("letter.write")
    with transaction.atomic():
        made = Letter.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            actor.require_own(made.written_by_id)
            if made.account_id != account_id_of(account_number):
                raise AlreadyDone(f"This form wrote {made.number} before; open a new one.")
            return made.number
        draft = draft_letter(actor, account_number, code, note, day)
        [letter] = keep_letters(actor.user_id, [draft], day, now, [idempotency_key])
        return letter.number


def keep_letters(
    writer_id: int,
    drafts: Sequence[Draft],
    day: date,
    now: datetime,
    keys: Sequence[str],
    batch_id: int | None = None,
) -> list[Letter]:
    """Makes the PDF of each draft and keeps it, in the caller's transaction."""
    ids = next_ids(connection.connection, "letters_letter", len(drafts)).to_list()
    letters = []
    for pk, draft, key in zip(ids, drafts, keys, strict=True):
        number = f"L-{pk:07}"
        pdf = letter_pdf([draft.written(number, day)])
        digest = hashlib.sha256(pdf).hexdigest()
        storage.store(digest, pdf)
        letters.append(
            Letter(
                pk=pk,
                number=number,
                account_id=draft.facts.account_id,
                template_id=draft.template_id,
                batch_id=batch_id,
                language=draft.facts.language,
                subject=draft.subject[:160],
                addressee=draft.facts.addressee[:120],
                address=draft.facts.address[:200],
                text=draft.text,
                values=draft.facts.values,
                digest=digest,
                written_by_id=writer_id,
                written_on=day,
                written_at=now,
                idempotency_key=key,
            )
        )
    return Letter.objects.bulk_create(letters)
