"""What people do with letters: propose a wording, decide on it, preview a letter, send it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Max

from chamberlain.casework.letters.documents import letter_pdf
from chamberlain.casework.letters.fields import FREE
from chamberlain.casework.letters.merging import Recipient, recipients
from chamberlain.casework.letters.models import Letter, Template
from chamberlain.casework.letters.wording import (
    LONGEST_FREE,
    Block,
    check_wording,
    fields_of,
    merge_body,
    merge_text,
    plain,
)
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted
from chamberlain.kernel.frames import next_ids
from chamberlain.ledger.models import Account
from chamberlain.registry import storage

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Wording:
    """A version of a template as somebody writes it."""

    code: str
    name: str
    language: str
    starts_on: date
    subject: str
    body: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A letter as it would be sent."""

    template_id: int
    recipient: Recipient
    subject: str
    blocks: tuple[Block, ...]
    pdf: bytes


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says to somebody."""

    template: Template
    to: Recipient
    subject: str
    blocks: tuple[Block, ...]

    def pdf(self, number: str = "") -> bytes:
        """The file; number: "" for a preview."""
        to = self.to
        return letter_pdf(
            self.subject, self.blocks, to.addressed_to, to.values, self.template.language, number
        )


def load_templates(actor: Actor, wordings: Sequence[Wording], now: datetime) -> int:
    """Adds the wordings of a city's files that differ from those loaded last; returns how many.

    They are in use at once, as the city's own. Raises Invalid for an unknown field.
    """
    actor.require("city.load")
    made = 0
    for each in wordings:
        check_wording(each.subject, each.body)
        last = (
            Template.objects.filter(code=each.code, language=each.language, is_of_city=True)
            .order_by("-version")
            .first()
        )
        if last is None or _differs(last, each):
            _new_version(actor, each, now, is_of_city=True)
            made += 1
    return made


def _differs(last: Template, each: Wording) -> bool:
    return (last.name, last.starts_on, last.subject, last.body, last.source) != (
        each.name,
        each.starts_on,
        each.subject,
        each.body,
        each.source,
    )


def propose_template(actor: Actor, wording: Wording, now: datetime) -> int:
    """Proposes a new version of a template that there is; returns its id.

    It is not used before another person approves it. Raises Invalid beside `subject` or `body`,
    NotFound for a template that the city does not have.
    """
    actor.require("letter.propose")
    check_wording(wording.subject, wording.body)
    with transaction.atomic():
        if not Template.objects.filter(code=wording.code, language=wording.language).exists():
            raise NotFound("There is no such template; choose one of the list.", field="code")
        return _new_version(actor, wording, now, is_of_city=False)


def _new_version(actor: Actor, each: Wording, now: datetime, *, is_of_city: bool) -> int:
    last = Template.objects.filter(code=each.code, language=each.language).aggregate(
        last=Max("version")
    )
    return Template.objects.create(
        code=each.code,
        name=each.name,
        language=each.language,
        version=(last["last"] or 0) + 1,
        starts_on=each.starts_on,
        subject=each.subject.strip(),
        body=each.body.strip(),
        source=each.source,
        is_of_city=is_of_city,
        status=Template.Status.APPROVED if is_of_city else Template.Status.PROPOSED,
        written_by_id=actor.user_id,
        written_at=now,
    ).pk


def decide_template(actor: Actor, template_id: int, now: datetime, *, approved: bool) -> None:
    """Approves or refuses a version that another person wrote.

    Raises NotFound, NotPermitted for its writer, AlreadyDone when it was decided before.
    """
    actor.require("letter.approve")
    with transaction.atomic():
        found = Template.objects.select_for_update().filter(pk=template_id).first()
        if found is None:
            raise NotFound("There is no such version; look at the list of templates.")
        if found.status != Template.Status.PROPOSED:
            raise AlreadyDone("This version was decided on already; look at it again.")
        if found.written_by_id == actor.user_id:
            raise NotPermitted("You wrote this version; ask another person to decide on it.")
        found.status = Template.Status.APPROVED if approved else Template.Status.REFUSED
        found.decided_by_id, found.decided_at = actor.user_id, now
        found.save(update_fields=["status", "decided_by", "decided_at"])


def template_in_use(code: str, language: str, day: date) -> Template:
    """The version in use on a day: in the language, else in English. Raises NotFound."""
    for wanted in dict.fromkeys((language, ENGLISH)):
        found = (
            Template.objects.filter(
                code=code, language=wanted, status=Template.Status.APPROVED, starts_on__lte=day
            )
            .order_by("-starts_on", "-version")
            .first()
        )
        if found:
            return found
    raise NotFound("There is no such letter in use; choose one of the list.", field="template")


def preview_letter(
    actor: Actor, account_id: int, code: str, today: date, free: str = ""
) -> Preview:
    """A letter to the holder of an account as it would be sent; writes nothing.

    free: paragraphs of the writer's own, where the template has a place for them.
    Raises NotFound (account, template), Invalid beside `template` or `free`.
    """
    actor.require("letter.write")
    recipient = _recipient(account_id, today)
    return _composed(template_in_use(code, recipient.language, today), recipient, free)


def preview_version(actor: Actor, template_id: int, account_id: int, today: date) -> Preview:
    """A version, proposed or in use, as a letter to a real account; writes nothing."""
    actor.require("letter.propose")
    found = Template.objects.filter(pk=template_id).first()
    if found is None:
        raise NotFound("There is no such version; look at the list of templates.")
    return _composed(found, _recipient(account_id, today), "")


def _recipient(account_id: int, today: date) -> Recipient:
    found = recipients([account_id], today)
    if not found:
        raise NotFound("There is no such account; search for it by name.")
    _check_addressable(found[0])
    return found[0]


def _check_addressable(to: Recipient) -> None:
    if not to.values["holder"]:
        raise Invalid("Nobody holds this account today; there is nobody to write to.")
    if not to.values["mailing_address"]:
        raise Invalid("There is no address for this account; enter where its mail goes.")


def words_of(template: Template, to: Recipient, free: str) -> Words:
    """A version filled in for somebody, without its file. Raises Invalid as `preview_letter`."""
    _check_addressable(to)
    check_free(template, free)
    subject = merge_text(template.subject, to.values)
    return Words(template, to, subject, merge_body(template.body, to.values, free))


def check_free(template: Template, free: str) -> None:
    """Raises Invalid for a paragraph that the letter has no place for, or that is too long."""
    if free.strip() and FREE not in fields_of(template.body):
        raise Invalid("This letter has no place for a paragraph of your own.", field="free")
    if len(free) > LONGEST_FREE or "\0" in free:
        raise Invalid(
            f"Your paragraph has more than {LONGEST_FREE:,} characters or one that is no text; "
            "shorten it.",
            field="free",
        )


def _composed(template: Template, to: Recipient, free: str) -> Preview:
    words = words_of(template, to, free)
    return Preview(template.pk, to, words.subject, words.blocks, words.pdf())


def send_letter(
    actor: Actor,
    account_id: int,
    code: str,
    today: date,
    now: datetime,
    idempotency_key: str,
    free: str = "",
) -> str:
    """Keeps a letter as sent, its file under its digest; returns its number.

    The same key sends once. Raises what `preview_letter` raises, and AlreadyDone when the key
    was used for another account.
    """
    actor.require("letter.write")
    with transaction.atomic():
        if not Account.objects.select_for_update().filter(pk=account_id).exists():
            raise NotFound("There is no such account; search for it by name.")
        sent = Letter.objects.filter(idempotency_key=idempotency_key).first()
        if sent:
            if sent.account_id != account_id:
                raise AlreadyDone("This key sent another letter; begin the letter anew.")
            return sent.number
        to = _recipient(account_id, today)
        template = template_in_use(code, to.language, today)
        words = words_of(template, to, free)
        [letter] = keep_letters(actor.user_id, [words], free, today, now, [idempotency_key])
    return letter.number


def keep_letters(
    sender_id: int,
    letters: Sequence[Words],
    free: str,
    day: date,
    now: datetime,
    keys: Sequence[str],
    batch_id: int | None = None,
) -> list[Letter]:
    """Makes the file of each letter and keeps it as sent, in the caller's transaction."""
    ids = next_ids(connection.connection, "letters_letter", len(letters)).to_list()
    kept = []
    files = {}
    for pk, words, key in zip(ids, letters, keys, strict=True):
        number = f"LT-{pk:07d}"
        made = words.pdf(number)
        digest = hashlib.sha256(made).hexdigest()
        files[digest] = made
        named = fields_of(words.template.subject + words.template.body)
        kept.append(
            Letter(
                pk=pk,
                number=number,
                account_id=words.to.account_id,
                template=words.template,
                batch_id=batch_id,
                written_on=day,
                addressed_to=list(words.to.addressed_to),
                is_paperless=words.to.is_paperless,
                subject=words.subject,
                text=plain(words.blocks),
                values={name: words.to.values[name] for name in named if name != FREE},
                free_paragraph=free.strip(),
                digest=digest,
                sent_by_id=sender_id,
                sent_at=now,
                idempotency_key=key,
            )
        )
    storage.store_all(files)
    return Letter.objects.bulk_create(kept)
