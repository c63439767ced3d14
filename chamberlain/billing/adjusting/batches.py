"""Adjustments of many accounts from one file: read, looked at, and asked for together.

The file is CSV in UTF-8 with a heading of `account`, `amount` and, if wanted, `note`. It is read
to the end, every bad row is listed, and nothing is asked for while one is bad.
"""

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.adjusting.models import Adjustment, AdjustmentBatch, AdjustmentFile
from chamberlain.billing.adjusting.operations import number_of
from chamberlain.billing.adjusting.outcomes import WANTED, left_by
from chamberlain.billing.adjusting.reasons import Reason, reason_of, reason_row
from chamberlain.billing.adjusting.standing import faults
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import BadFile, BadRecord, Invalid, NotFound, Refused
from chamberlain.kernel.frames import next_ids
from chamberlain.kernel.money import parse_cents
from chamberlain.ledger.posting import lock_balances

LARGEST_FILE_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
MOST_FILES = 20
_HEADINGS = ({"account", "amount"}, {"account", "amount", "note"})


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file. line: where it stands, the heading being 1."""

    line: int
    account: str
    cents: int
    note: str


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """What a row would do: what it settles and what it leaves as credit, in cents."""

    line: int
    account_id: int
    account: str
    cents: int
    settled_cents: int
    left_cents: int
    note: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A file looked at. With records nothing of it can be asked for."""

    reason: Reason
    rows: tuple[PreviewRow, ...]
    records: tuple[BadRecord, ...]

    @property
    def cents(self) -> int:
        """What all good rows come to."""
        return sum(row.cents for row in self.rows)


def read_lines(content: bytes, default_note: str) -> tuple[list[Line], list[BadRecord]]:
    """The good rows of a file, and its bad ones with what is wrong.

    Raises Invalid when it is no CSV file with the right heading, or too large.
    """
    if len(content) > LARGEST_FILE_BYTES:
        raise Invalid("The file is larger than 20 MB; split it.", field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(
            "The file is not text in UTF-8; save it as CSV (UTF-8).", field="file"
        ) from None
    reader = csv.DictReader(io.StringIO(text), strict=True)
    found, bad = [], []
    try:
        names = [name.strip().lower() for name in reader.fieldnames or []]
        if set(names) not in _HEADINGS or len(names) != len(set(names)):
            raise Invalid(
                "The first line must be account,amount or account,amount,note.", field="file"
            )
        reader.fieldnames = names
        for row in reader:
            try:
                found.append(_line(reader.line_num, row, default_note))
            except Invalid as wrong:
                bad.append(BadRecord(f"line {reader.line_num}", wrong.sentence))
            if len(found) + len(bad) > MOST_ROWS:
                raise Invalid(f"The file has more than {MOST_ROWS:,} rows; split it.", field="file")
    except csv.Error as wrong:
        bad.append(BadRecord(f"line {reader.reader.line_num}", f"This is not CSV: {wrong}."))
    if not found and not bad:
        raise Invalid("The file has no rows below its heading.", field="file")
    return found, bad


def _line(line: int, row: dict[str | None, str | list[str] | None], default_note: str) -> Line:
    if None in row or any(row.get(name) is None for name in ("account", "amount")):
        raise Invalid("The row has not as many fields as the heading.")
    if any("\0" in str(value) for value in row.values()):
        raise Invalid("The row has a character that is no text (NUL); take it out.")
    cents = int(parse_cents(str(row["amount"])))
    note = str(row.get("note") or "").strip() or default_note.strip()
    return Line(line, str(row["account"]).strip(), cents, note[:200])


def preview_batch(
    actor: Actor, content: bytes, reason_code: str, note: str, today: date
) -> Preview:
    """What a file would do, row by row; writes nothing.

    Raises NotFound (reason), Invalid (no such file, or a reason that needs another account).
    """
    actor.require("adjustment.ask")
    reason = reason_of(reason_row(reason_code, today))
    if not reason.kind_row.in_batch:
        raise Invalid(
            f"“{reason.name}” needs a second account for each; ask for them one by one.",
            field="reason",
        )
    lines, bad = read_lines(content, note)
    return look(lines, bad, reason, today)


def look(lines: list[Line], bad: list[BadRecord], reason: Reason, today: date) -> Preview:
    """What lines would do as the accounts are now; the bad ones are listed by line."""
    ids = _account_ids([line.account for line in lines])
    first_seen: dict[str, int] = {}
    good: list[Line] = []
    for line in lines:
        wrong = _wrong(line, ids, first_seen, reason)
        first_seen.setdefault(line.account, line.line)
        if wrong:
            bad.append(BadRecord(f"line {line.line}", wrong))
        else:
            good.append(line)
    wanted = pl.DataFrame(
        [(ids[line.account], line.cents) for line in good], schema=WANTED, orient="row"
    )
    faulty, settled = faults(wanted, reason, today)
    bad += [
        BadRecord(f"line {line.line}", f"Account {line.account}: {faulty[ids[line.account]]}")
        for line in good
        if ids[line.account] in faulty
    ]
    left = {row[0]: row for row in left_by(wanted, settled).iter_rows()}
    made = tuple(
        PreviewRow(line.line, ids[line.account], line.account, line.cents,
                   left[ids[line.account]][2], left[ids[line.account]][3], line.note)
        for line in good
        if ids[line.account] not in faulty
    )  # fmt: skip
    return Preview(reason, made, tuple(sorted(bad, key=lambda r: int(r.place.split()[1]))))


def _wrong(line: Line, ids: dict[str, int], seen: dict[str, int], reason: Reason) -> str:
    if line.account not in ids:
        return f"There is no account {line.account[:24]}."
    if line.account in seen:
        return f"Account {line.account} is in line {seen[line.account]} already."
    if not line.note:
        return "There is no note that says why; give one for the row or for all."
    try:
        reason.check_amount(line.cents)
    except Invalid as wrong:
        return wrong.sentence
    return ""


def _account_ids(numbers: list[str]) -> dict[str, int]:
    return dict(rows("SELECT number, id FROM ledger_account WHERE number = ANY(%s)", [numbers]))


def ask_batch(
    actor: Actor,
    content: bytes,
    file_name: str,
    reason_code: str,
    note: str,
    today: date,
    now: datetime,
    idempotency_key: str,
) -> str:
    """Asks for all rows of a file at once; returns the batch's number. The same key asks once.

    Raises BadFile with every bad row, after which nothing was asked for, and what
    `preview_batch` raises.
    """
    actor.require("adjustment.ask")
    with acting(actor), transaction.atomic():
        made = AdjustmentBatch.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            actor.require_own(made.asked_by_id)
            return made.number
        looked = preview_batch(actor, content, reason_code, note, today)
        if looked.records:
            raise BadFile(
                f"{len(looked.records):,} of the rows are bad, so nothing was asked for; correct "
                "the file.",
                looked.records,
            )
        lock_balances([row.account_id for row in looked.rows])
        return write_batch(actor, looked, content, file_name, today, now, idempotency_key)


def write_batch(
    actor: Actor,
    looked: Preview,
    content: bytes,
    file_name: str,
    today: date,
    now: datetime,
    key: str,
) -> str:
    """Asks for what was looked at, in the caller's transaction; returns the batch's number."""
    reason = reason_row(looked.reason.code, today)
    batch_id = int(next_ids(connection.connection, "adjusting_adjustmentbatch", 1)[0])
    batch = AdjustmentBatch.objects.create(
        pk=batch_id,
        number=f"BAT-{batch_id:06d}",
        reason=reason,
        file_name=file_name[:120],
        digest=hashlib.sha256(content).digest(),
        rows=len(looked.rows),
        cents=looked.cents,
        asked_by_id=actor.user_id,
        asked_at=now,
        idempotency_key=key,
    )
    ids = next_ids(connection.connection, "adjusting_adjustment", len(looked.rows)).to_list()
    Adjustment.objects.bulk_create(
        [
            Adjustment(
                pk=pk,
                number=number_of(pk),
                kind=reason.kind,
                reason=reason,
                account_id=row.account_id,
                batch=batch,
                cents=row.cents,
                note=row.note,
                asked_by_id=actor.user_id,
                asked_at=now,
                idempotency_key=f"{key}:{row.line}",
            )
            for pk, row in zip(ids, looked.rows, strict=True)
        ],
        batch_size=5000,
    )
    return batch.number


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that waits to be asked for."""

    file_id: int
    file_name: str
    preview: Preview


def keep_file(
    actor: Actor,
    content: bytes,
    file_name: str,
    reason_code: str,
    note: str,
    today: date,
    now: datetime,
) -> int:
    """Keeps a file until the person has looked at it; returns its id.

    Raises as `preview_batch`, and Refused when the person keeps MOST_FILES already.
    """
    actor.require("adjustment.ask")
    if AdjustmentFile.objects.filter(uploaded_by_id=actor.user_id).count() >= MOST_FILES:
        raise Refused(
            f"You keep {MOST_FILES} files that you have not asked for; ask for them or drop some.",
            field="file",
        )
    preview_batch(actor, content, reason_code, note, today)
    kept = AdjustmentFile.objects.create(
        reason=reason_row(reason_code, today),
        file_name=file_name[:120],
        content=content,
        note=note.strip()[:200],
        uploaded_by_id=actor.user_id,
        uploaded_at=now,
    )
    return int(kept.pk)


def kept_file(actor: Actor, file_id: int, today: date) -> KeptFile:
    """A file that one keeps oneself, as the accounts are now. Raises NotFound."""
    kept = _kept(actor, file_id)
    preview = preview_batch(actor, bytes(kept.content), kept.reason.code, kept.note, today)
    return KeptFile(kept.pk, kept.file_name, preview)


def ask_for_file(actor: Actor, file_id: int, today: date, now: datetime) -> str:
    """Asks for all rows of a kept file; returns the batch's number. Asked again, the same number.

    Raises BadFile with every bad row, NotFound.
    """
    actor.require("adjustment.ask")
    with transaction.atomic():
        key = f"file-{file_id}"
        made = AdjustmentBatch.objects.filter(
            idempotency_key=key, asked_by_id=actor.user_id
        ).first()
        if made:
            return made.number
        kept = _kept(actor, file_id)
        number = ask_batch(
            actor, bytes(kept.content), kept.file_name, kept.reason.code, kept.note, today, now, key
        )
        kept.delete()
        return number


def drop_file(actor: Actor, file_id: int) -> None:
    """Forgets a kept file; nothing was asked for. Raises NotFound."""
    actor.require("adjustment.ask")
    _kept(actor, file_id).delete()


def _kept(actor: Actor, file_id: int) -> AdjustmentFile:
    kept = (
        AdjustmentFile.objects.select_related("reason")
        .filter(pk=file_id, uploaded_by_id=actor.user_id)
        .first()
    )
    if kept is None:
        raise NotFound("This file was asked for or dropped before; upload it again.")
    return kept
