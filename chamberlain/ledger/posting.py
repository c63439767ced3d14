"""How entries get into the ledger: one at a time, or a frame of them by COPY.

Both ways meet the same triggers. What the database refuses comes out as a sentence.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
import psycopg
from django.db import connection
from django.db.utils import DatabaseError

from chamberlain.kernel.errors import AlreadyDone, Refused
from chamberlain.kernel.frames import copy_frame, next_ids


class DayClosed(Refused):
    """The business day does not take entries any more."""


class OverSettled(Refused):
    """More would be settled than is open on a charge."""


class PostedAtOnce(Refused):
    """Another operation on the same charges stood in the way; nothing was changed."""


class NotEnoughCredit(Refused):
    """An account has less credit than was to be used."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One transfer to be posted. Ledger accounts by id; see `ledger.chart`."""

    debit_id: int
    credit_id: int
    cents: int
    effect: str = "none"
    account_id: int | None = None
    charge_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be posted with its legs."""

    business_day_id: int
    kind: str
    actor_id: int
    posted_at: datetime
    document: str
    legs: Sequence[Leg]
    reason: str = ""
    reverses_id: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A charge to be raised by an entry, with the accounts of its kind."""

    account_id: int
    kind_id: int
    receivable_id: int
    revenue_id: int
    cents: int
    raised_on: date
    due_on: date
    document: str


_SENTENCES: dict[str, tuple[type[Refused], str]] = {
    "charge_not_over_settled": (
        OverSettled,
        "A charge was paid in the meantime; look at the account again and take what is still open.",
    ),
    "credit_not_overdrawn": (
        NotEnoughCredit,
        "The account has less credit than that; look at the account again.",
    ),
}


@contextmanager
def sentences() -> Iterator[None]:
    """Turns what the ledger's constraints and triggers refuse into a sentence."""
    try:
        yield
    except (DatabaseError, psycopg.Error) as error:  # COPY raises the driver's own
        raise _refusal(error) from error


def _refusal(error: Exception) -> Exception:
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        return error
    if cause.sqlstate == "LG002":
        return DayClosed("The business day is closed; post on an open day.")
    if isinstance(cause, psycopg.errors.DeadlockDetected):
        return PostedAtOnce(
            "Somebody posted to the same account in this moment and nothing of yours was posted; "
            "do it again."
        )
    constraint = cause.diag.constraint_name or ""
    if "reverses_id" in constraint:
        return AlreadyDone("This entry was reversed before.")
    if constraint in _SENTENCES:
        kind, sentence = _SENTENCES[constraint]
        return kind(sentence)
    return error


def lock_balances(account_ids: Sequence[int]) -> None:
    """Makes operations on these accounts wait for each other until the transaction ends.

    What is read as open after this stays open until then.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_lock_balances(%s)", [list(account_ids)])


def post(entry: NewEntry) -> int:
    """Posts one entry with its legs, in the caller's transaction. Returns its id.

    Raises DayClosed, OverSettled, NotEnoughCredit, AlreadyDone.
    """
    with sentences(), connection.cursor() as cursor:
        cursor.execute(_POST_SQL, [*_entry_values(entry), *_columns(entry.legs)])
        return int(cursor.fetchone()[0])


_POST_SQL = """
    WITH e AS (
        INSERT INTO ledger_entry (business_day_id, kind, actor_id, posted_at, document, reason,
            reverses_id, idempotency_key)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
    ), t AS (
        INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, cents, effect, account_id,
            charge_id)
        SELECT e.id, l.* FROM e, unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
            %s::bigint[], %s::bigint[]) AS l
    )
    SELECT id FROM e
"""


def _entry_values(entry: NewEntry) -> list[Any]:
    return [
        entry.business_day_id,
        entry.kind,
        entry.actor_id,
        entry.posted_at,
        entry.document,
        entry.reason,
        entry.reverses_id,
        entry.idempotency_key,
    ]


def _columns(legs: Sequence[Leg]) -> list[list[Any]]:
    return [
        [leg.debit_id for leg in legs],
        [leg.credit_id for leg in legs],
        [leg.cents for leg in legs],
        [leg.effect for leg in legs],
        [leg.account_id for leg in legs],
        [leg.charge_id for leg in legs],
    ]


def raise_charges(entry: NewEntry, charges: Sequence[NewCharge]) -> tuple[int, list[int]]:
    """Posts an entry that raises charges (and its own legs, if any). Returns its id and theirs."""
    entry_id = post(
        NewEntry(
            entry.business_day_id,
            entry.kind,
            entry.actor_id,
            entry.posted_at,
            entry.document,
            [],
            entry.reason,
            entry.reverses_id,
            entry.idempotency_key,
        )
    )
    with sentences(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_charge (account_id, kind_id, entry_id, cents, raised_on, due_on,
                document)
            SELECT account_id, kind_id, %s, cents, raised_on, due_on, document
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::date[], %s::date[],
                %s::text[]) WITH ORDINALITY
                AS c(account_id, kind_id, cents, raised_on, due_on, document, n) ORDER BY n
            RETURNING id
            """,
            [
                entry_id,
                [charge.account_id for charge in charges],
                [charge.kind_id for charge in charges],
                [charge.cents for charge in charges],
                [charge.raised_on for charge in charges],
                [charge.due_on for charge in charges],
                [charge.document for charge in charges],
            ],
        )
        ids = [int(row[0]) for row in cursor.fetchall()]
        raised = [
            Leg(c.receivable_id, c.revenue_id, c.cents, "raise", c.account_id, charge_id)
            for c, charge_id in zip(charges, ids, strict=True)
        ]
        cursor.execute(
            """
            INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, cents, effect, account_id,
                charge_id)
            SELECT %s, l.* FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
                %s::bigint[], %s::bigint[]) AS l
            """,
            [entry_id, *_columns([*raised, *entry.legs])],
        )
    return entry_id, ids


NO_CHARGES = pl.DataFrame(
    schema={
        "id": pl.Int64,
        "account_id": pl.Int64,
        "kind_id": pl.Int64,
        "entry_id": pl.Int64,
        "cents": pl.Int64,
        "raised_on": pl.Date,
        "due_on": pl.Date,
        "document": pl.String,
    }
)
"""For entries that raise nothing."""


@dataclass(frozen=True, slots=True)
class EntryFrames:
    """Many entries at once, with ids already drawn by `kernel.frames.next_ids`.

    entries: id, business_day_id, kind, actor_id, posted_at, document, reason, reverses_id,
    idempotency_key. charges: id, account_id, kind_id, entry_id, cents, raised_on, due_on,
    document. transfers: entry_id, debit_id, credit_id, cents, effect, account_id, charge_id;
    their ids are drawn here.
    """

    entries: pl.DataFrame
    charges: pl.DataFrame
    transfers: pl.DataFrame


def post_frames(database: psycopg.Connection[Any], frames: EntryFrames) -> None:
    """Posts frames by COPY, in the caller's transaction; the triggers hold as for one entry."""
    copy_frame(database, "ledger_entry", frames.entries)
    copy_frame(database, "ledger_charge", frames.charges)
    ids = next_ids(database, "ledger_transfer", frames.transfers.height)
    copy_frame(database, "ledger_transfer", frames.transfers.with_columns(id=ids))
