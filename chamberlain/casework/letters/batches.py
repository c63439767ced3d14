"""One letter to many accounts: chosen, looked at, asked for, written in parts, and printed.

A part commits on its own, and an account that has its letter gets no second one, so a batch that
was stopped is run once more.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from pypdf import PdfWriter

from chamberlain.casework.letters.merging import Recipient, recipients
from chamberlain.casework.letters.models import Batch, BatchAccount, Letter, Template
from chamberlain.casework.letters.operations import (
    Words,
    check_free,
    keep_letters,
    template_in_use,
    words_of,
)
from chamberlain.casework.letters.workers import write_in_worker
from chamberlain.database.rows import rows
from chamberlain.database.spreading import spread
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, BadFile, BadRecord, Invalid, NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.registry import storage

PART_LETTERS = 500
MOST_ACCOUNTS = 200_000
LARGEST_FILE_BYTES = 5_000_000
PRINTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """Accounts, in the order of their numbers, and how they were chosen, in words."""

    account_ids: tuple[int, ...]
    asked: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What a batch would do. first: some of its letters. left_out: (account number, why), at most
    so many as are shown."""

    letters: int
    first: tuple[Words, ...]
    left_out: tuple[tuple[str, str], ...]
    left_out_count: int


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is."""

    accounts: int
    letters: int
    left_out: int
    status: str

    @property
    def done(self) -> int:
        """Accounts that are dealt with."""
        return self.letters + self.left_out


_PAST_DUE = """
    SELECT c.account_id FROM ledger_charge c
    JOIN ledger_balance b ON b.account_id = c.account_id AND b.owed_cents >= %(cents)s
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE c.due_on < %(before)s AND c.cents > coalesce(s.settled_cents, 0)
    GROUP BY c.account_id
    HAVING sum(c.cents - coalesce(s.settled_cents, 0)) >= %(cents)s
    ORDER BY c.account_id LIMIT %(most)s
"""


def past_due(days: int, at_least_cents: int, day: date) -> Chosen:
    """Accounts of which at least so much has been due for more than so many days."""
    if days < 0 or at_least_cents <= 0:
        raise Invalid("Give days of zero or more and an amount above nothing.", field="days")
    values = {
        "before": day - timedelta(days=days),
        "cents": at_least_cents,
        "most": MOST_ACCOUNTS + 1,
    }
    found = tuple(int(row[0]) for row in rows(_PAST_DUE, values))
    asked = f"{show_cents(at_least_cents)} or more past due for more than {days} days"
    return _checked(Chosen(found, asked))


def of_file(content: bytes, name: str) -> Chosen:
    """The accounts of a CSV file with a column `account`. Raises BadFile with every bad line."""
    if len(content) > LARGEST_FILE_BYTES:
        raise Invalid("The file is larger than 5 MB; cut it into smaller ones.", field="file")
    try:
        lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid("The file is no CSV in UTF-8; save it as one.", field="file") from error
    if not lines or "account" not in lines[0]:
        raise Invalid("The file has no column “account”; name it in the first line.", field="file")
    numbers = [(line["account"] or "").strip() for line in lines]
    known = dict(rows("SELECT number, id FROM ledger_account WHERE number = ANY(%s)", [numbers]))
    bad = [
        BadRecord(f"line {place}", f"there is no account “{number[:24]}”; correct the number.")
        for place, number in enumerate(numbers, start=2)
        if number not in known
    ]
    if bad:
        raise BadFile(f"{len(bad):,} of {len(numbers):,} lines name no account; correct them.", bad)
    ids = tuple(sorted({int(known[number]) for number in numbers}))
    return _checked(Chosen(ids, f"The accounts of {name[-80:]}"))


def _checked(chosen: Chosen) -> Chosen:
    if not chosen.account_ids:
        raise Refused("No account is chosen by this; choose otherwise.")
    if len(chosen.account_ids) > MOST_ACCOUNTS:
        raise Refused(f"More than {MOST_ACCOUNTS:,} accounts are chosen; choose fewer at once.")
    return chosen


def look_at_batch(
    actor: Actor, code: str, free: str, chosen: Chosen, day: date, shown: int = 3
) -> Looked:
    """What a batch would do; nothing is written. Raises NotFound (template), Invalid (free)."""
    actor.require("letter.batch")
    wordings = _Wordings(code, day, free)
    first: list[Words] = []
    left_out: list[tuple[str, str]] = []
    letters = 0
    for start in range(0, len(chosen.account_ids), 5_000):
        for to in recipients(chosen.account_ids[start : start + 5_000], day):
            words, why = wordings.words(to)
            if words is None:
                left_out.append((to.values["account_number"], why))
                continue
            letters += 1
            if len(first) < shown:
                first.append(words)
    return Looked(letters, tuple(first), tuple(left_out[:50]), len(left_out))


class _Wordings:
    """The versions of a letter that a batch uses, one for each language that holders speak."""

    def __init__(self, code: str, day: date, free: str) -> None:
        self._code, self._day, self._free = code, day, free
        self._found: dict[str, Template] = {}
        check_free(self._in("en"), free)

    def _in(self, language: str) -> Template:
        if language not in self._found:
            self._found[language] = template_in_use(self._code, language, self._day)
        return self._found[language]

    def words(self, to: Recipient) -> tuple[Words | None, str]:
        """The letter to somebody, or why there is none."""
        try:
            return words_of(self._in(to.language), to, self._free), ""
        except Invalid as refusal:
            return None, refusal.sentence


def ask_batch(
    actor: Actor,
    code: str,
    free: str,
    chosen: Chosen,
    day: date,
    now: datetime,
    idempotency_key: str,
) -> int:
    """Plans a batch; returns its id. The same key returns the same batch; nothing is written yet.

    Raises NotFound (template), Invalid (free).
    """
    actor.require("letter.batch")
    with acting(actor), transaction.atomic():
        made = Batch.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            actor.require_own(made.asked_by_id)
            return int(made.pk)
        _Wordings(code, day, free)
        batch = Batch.objects.create(
            code=code,
            day=day,
            free_paragraph=free.strip(),
            asked=chosen.asked[:200],
            asked_by_id=actor.user_id,
            asked_at=now,
            idempotency_key=idempotency_key,
        )
        BatchAccount.objects.bulk_create(
            (
                BatchAccount(batch=batch, account_id=account_id, part=place // PART_LETTERS)
                for place, account_id in enumerate(chosen.account_ids)
            ),
            batch_size=10_000,
        )
    return int(batch.pk)


def look_at_asked(actor: Actor, batch_id: int) -> Looked:
    """What a batch that was asked for would write. Raises NotFound."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise NotFound(f"There is no batch {batch_id} of letters; look at the list.")
    ids = batch.accounts.order_by("account_id").values_list("account_id", flat=True)
    return look_at_batch(
        actor, batch.code, batch.free_paragraph, Chosen(tuple(ids), batch.asked), batch.day
    )


def drop_batch(actor: Actor, batch_id: int) -> None:
    """Forgets a batch of which nothing is written. Raises NotFound, AlreadyDone."""
    actor.require("letter.batch")
    with acting(actor), transaction.atomic():
        batch = _locked(batch_id)
        if batch.status != Batch.Status.PLANNED:
            raise AlreadyDone("This batch was begun; stop it, if it still runs.")
        batch.accounts.all().delete()
        batch.delete()


def start_batch(actor: Actor, batch_id: int) -> None:
    """Lets a batch be written, or go on; the caller hands it over. Raises NotFound, AlreadyDone."""
    actor.require("letter.batch")
    with acting(actor), transaction.atomic():
        batch = _locked(batch_id)
        if batch.status == Batch.Status.DONE:
            raise AlreadyDone("This batch is written; nothing is left.")
        batch.status, batch.stop_requested = Batch.Status.RUNNING, False
        batch.save(update_fields=["status", "stop_requested"])


def run_batch(
    actor: Actor,
    batch_id: int,
    *,
    workers: int = 1,
    dask: str | None = None,
    progress: Callable[[BatchProgress], None] = lambda _: None,
) -> BatchProgress:
    """Writes what is left of a batch. Raises NotFound, AlreadyDone when nothing is left."""
    start_batch(actor, batch_id)
    parts = _parts_left(batch_id)
    try:
        for _ in spread(
            write_in_worker,
            [(batch_id, part) for part in parts],
            workers=workers,
            dask=dask,
            is_stopped=lambda: Batch.objects.filter(pk=batch_id, stop_requested=True).exists(),
        ):
            progress(progress_of(batch_id))
    finally:
        left = bool(_parts_left(batch_id))
        with acting(actor):
            Batch.objects.filter(pk=batch_id).update(
                status=Batch.Status.STOPPED if left else Batch.Status.DONE
            )
    return progress_of(batch_id)


def stop_batch(actor: Actor, batch_id: int) -> None:
    """Asks a batch to stop after the letters under way; what is written stays. Raises NotFound."""
    actor.require("letter.batch")
    with acting(actor), transaction.atomic():
        batch = _locked(batch_id)
        batch.stop_requested = True
        batch.save(update_fields=["stop_requested"])


def _locked(batch_id: int) -> Batch:
    batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound(f"There is no batch {batch_id} of letters; look at the list.")
    return batch


def _parts_left(batch_id: int) -> list[int]:
    query = """
        SELECT DISTINCT part FROM letters_batchaccount a
        WHERE batch_id = %s AND left_out = '' AND NOT EXISTS (SELECT 1 FROM letters_letter l
            WHERE l.batch_id = a.batch_id AND l.account_id = a.account_id)
        ORDER BY part
    """
    return [int(row[0]) for row in rows(query, [batch_id])]


def progress_of(batch_id: int) -> BatchProgress:
    """How far a batch is. Raises NotFound."""
    query = """
        SELECT (SELECT count(*) FROM letters_batchaccount WHERE batch_id = b.id),
            (SELECT count(*) FROM letters_letter WHERE batch_id = b.id),
            (SELECT count(*) FROM letters_batchaccount WHERE batch_id = b.id AND left_out <> ''),
            b.status
        FROM letters_batch b WHERE b.id = %s
    """
    found = rows(query, [batch_id])
    if not found:
        raise NotFound(f"There is no batch {batch_id} of letters; look at the list.")
    return BatchProgress(*found[0])


def write_part(batch_id: int, part: int) -> None:
    """Writes the letters of one part that are not written yet, in one transaction."""
    with transaction.atomic():
        waiting = {
            each.account_id: each
            for each in BatchAccount.objects.select_for_update()
            .select_related(None)
            .filter(batch_id=batch_id, part=part, left_out="")
        }
        written = Letter.objects.filter(batch_id=batch_id, account_id__in=waiting)
        for account_id in written.values_list("account_id", flat=True):
            del waiting[account_id]
        batch = Batch.objects.get(pk=batch_id)
        wordings = _Wordings(batch.code, batch.day, batch.free_paragraph)
        letters, left_out = [], []
        for to in recipients(list(waiting), batch.day):
            words, why = wordings.words(to)
            if words is not None:
                letters.append(words)
                continue
            row = waiting[to.account_id]
            row.left_out = why[:200]
            left_out.append(row)
        BatchAccount.objects.bulk_update(left_out, ["left_out"])
        keys = [f"batch {batch_id} account {words.to.account_id}" for words in letters]
        keep_letters(
            batch.asked_by_id, letters, batch.free_paragraph, batch.day, datetime.now(UTC), keys,
            batch_id,
        )  # fmt: skip


_IN_POSTAL_ORDER = """
    SELECT l.number, a.number, array_to_string(l.addressed_to, ', '), l.digest
    FROM letters_letter l JOIN ledger_account a ON a.id = l.account_id
    WHERE l.batch_id = %s
    ORDER BY substring(l.addressed_to[array_upper(l.addressed_to, 1)] from '[^,]*$'),
        l.addressed_to[array_upper(l.addressed_to, 1)], l.id
    LIMIT %s OFFSET %s
"""


def printed_batch(actor: Actor, batch_id: int, offset: int = 0) -> bytes:
    """So many letters of a batch (PRINTED_AT_ONCE) as one PDF for the printer, in postal order:
    the files that were kept, one after the other.

    Raises NotFound when there are none, Refused when a file is gone.
    """
    actor.require("letter.batch")
    actor.require("contact.view")
    found = rows(_IN_POSTAL_ORDER, [batch_id, PRINTED_AT_ONCE, offset])
    if not found:
        raise NotFound("No letter of this batch is written there yet.")
    together = PdfWriter()
    for *_, digest in found:
        together.append(io.BytesIO(storage.fetch(digest)))
    written = io.BytesIO()
    together.write(written)
    return written.getvalue()


def mailing_list(actor: Actor, batch_id: int) -> list[tuple[str, str, str]]:
    """Letter, account and address of a batch, in the order of the printer's files."""
    actor.require("letter.batch")
    actor.require("contact.view")
    found = rows(_IN_POSTAL_ORDER, [batch_id, MOST_ACCOUNTS, 0])
    return [(row[0], row[1], row[2]) for row in found]
