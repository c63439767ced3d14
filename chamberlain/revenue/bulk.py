"""Very many obligations at once, as a city's import brings them: one entry and one charge each."""

from datetime import datetime

import polars as pl
from django.db import connection, transaction

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import DayClosed, EntryFrames, post_frames


def charge_many(
    actor: Actor, obligations: pl.DataFrame, business_day_id: int, now: datetime
) -> int:
    """Enters obligations and raises their charges on one business day; returns how many.

    obligations: number (unique), kind, account_id, subject, description, arose_on, charge_kind,
    cents (Int64, > 0), due_on. Raises Invalid for an unknown charge kind, DayClosed.
    """
    day = BusinessDay.objects.get(pk=business_day_id)
    actor.require("revenue.charge", day.center_id)
    if day.closed_at:
        raise DayClosed(f"{day.day:%B %-d, %Y} is closed; post on an open business day.")
    kinds = chart.charge_kinds()
    unknown = sorted(set(obligations["charge_kind"]) - set(kinds))
    if unknown:
        raise Invalid(f"There is no charge kind {unknown[0]}; load the city's file.")
    legs = pl.DataFrame(
        [(k.code, k.id, k.receivable_id, k.revenue_id) for k in kinds.values()],
        schema=["charge_kind", "kind_id", "debit_id", "credit_id"],
        orient="row",
    )
    with transaction.atomic():
        connection.ensure_connection()
        database = connection.connection
        rows = obligations.join(legs, on="charge_kind", maintain_order="left").with_columns(
            obligation_id=next_ids(database, "revenue_obligation", obligations.height),
            entry_id=next_ids(database, "ledger_entry", obligations.height),
            charge_id=next_ids(database, "ledger_charge", obligations.height),
            raised_on=pl.lit(day.day),
        )
        copy_frame(
            database,
            "revenue_obligation",
            rows.select(
                "number", "kind", "account_id", "subject", "description", "arose_on",
                id="obligation_id",
            ),
        )  # fmt: skip
        rows = rows.with_columns(due_on=pl.max_horizontal("due_on", "raised_on"))
        post_frames(database, raising(actor, rows, business_day_id, now))
        copy_frame(database, "revenue_obligationcharge", rows.select("charge_id", "obligation_id"))
    return rows.height


def raising(
    actor: Actor, rows: pl.DataFrame, business_day_id: int, now: datetime, reason: str = ""
) -> EntryFrames:
    """An entry for each row that raises its charge.

    rows: kind (of the entry), number, account_id, kind_id (of the charge), debit_id, credit_id,
    cents, raised_on, due_on, and the fresh entry_id and charge_id.
    """
    entries = rows.select(
        id="entry_id",
        business_day_id=pl.lit(business_day_id),
        kind="kind",
        actor_id=pl.lit(actor.user_id),
        posted_at=pl.lit(now.isoformat()),
        document="number",
        reason=pl.lit(reason),
        reverses_id=pl.lit(None, dtype=pl.Int64),
        idempotency_key=pl.lit(None, dtype=pl.String),
    )
    charges = rows.select(
        "account_id", "kind_id", "entry_id", "cents", "raised_on", "due_on", document="number",
        id="charge_id",
    )  # fmt: skip
    transfers = rows.select(
        "entry_id", "debit_id", "credit_id", "cents", "account_id", "charge_id",
        effect=pl.lit("raise"),
    )  # fmt: skip
    return EntryFrames(entries, charges, transfers)
