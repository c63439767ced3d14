"""One timeline of an account: its bills, payments, reads, reversals and changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from chamberlain.billing.accounts import ReadRow, reads_of_account
from chamberlain.billing.explanation import quantity_in_words
from chamberlain.billing.queries import BillRow, bills_of_account
from chamberlain.ledger.statements import (
    EntryRow,
    PaymentRow,
    payments_of_account,
    reversals_of_account,
)
from chamberlain.registry.history import Change, changes

EACH_MAX = 200
KINDS = {
    "bill": "Bills",
    "payment": "Payments",
    "read": "Reads",
    "reversal": "Reversals",
    "change": "Changes",
}
_FIELDS = {"customer": "holder", "period": "days", "kind": "kind", "value": ""}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. when: a day, or an instant when the hour is known."""

    kind: str
    when: date | datetime
    title: str
    url: str = ""
    cents: int | None = None
    by: str = ""
    tag: str = ""
    tone: str = ""
    text: str = ""

    @property
    def has_hour(self) -> bool:
        """Whether the hour is known."""
        return isinstance(self.when, datetime)


def latest(account_id: int, events: int) -> list[Event]:
    """The latest bills and payments, the newest first."""
    found = [
        *map(_bill, bills_of_account(account_id, events)),
        *map(_payment, payments_of_account(account_id, events)),
    ]
    return _newest_first(found)[:events]


def timeline(account_id: int, kind: str, *, sees_changes: bool, unmasked: bool) -> list[Event]:
    """All kinds of events, or one of KINDS; of each kind the latest EACH_MAX, the newest first.

    sees_changes: whether the viewer may see who changed what. unmasked: whether contacts too.
    """
    found: list[Event] = []
    if kind in ("", "bill"):
        found += map(_bill, bills_of_account(account_id, EACH_MAX))
    if kind in ("", "payment"):
        found += map(_payment, payments_of_account(account_id, EACH_MAX))
    if kind in ("", "read"):
        found += map(_read, reads_of_account(account_id, EACH_MAX))
    if kind in ("", "reversal"):
        found += map(_reversal, reversals_of_account(account_id, EACH_MAX))
    if kind in ("", "change") and sees_changes:
        found += map(_change, changes(account_id, unmasked=unmasked, limit=EACH_MAX))
    return _newest_first(found)


def _newest_first(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=_instant, reverse=True)


def _instant(event: Event) -> datetime:
    when = event.when
    return when if isinstance(when, datetime) else datetime.combine(when, time(), UTC)


def _bill(bill: BillRow) -> Event:
    if bill.is_reversed:
        tag, tone = "Reversed", "bad"
    elif bill.open_cents:
        tag, tone = "Open", "wait"
    else:
        tag, tone = "Paid", "ok"
    return Event(
        kind="bill",
        when=bill.issued_on,
        title=f"Bill {bill.number}",
        url=f"/bills/{bill.number}/",
        cents=bill.total_cents,
        tag=tag,
        tone=tone,
        text=bill.tariff_name,
    )


def _payment(payment: PaymentRow) -> Event:
    return Event(
        kind="payment",
        when=payment.posted_at,
        title=f"Payment {payment.document}",
        url=f"/ledger/entries/{payment.entry_id}/",
        cents=-payment.cents,
        by=payment.actor,
        tag="Reversed" if payment.is_reversed else "",
        tone="bad",
        text=payment.center,
    )


def _read(read: ReadRow) -> Event:
    register = f"Register {read.register:,}, used " if read.register is not None else "Used "
    return Event(
        kind="read",
        when=read.to_on,
        title=f"Meter {read.meter_serial} read" if read.meter_serial else "Usage reported",
        tag="Estimate" if read.quality == "estimate" else "",
        tone="wait",
        text=register + quantity_in_words(read.usage_thousandths, read.unit),
    )


def _reversal(entry: EntryRow) -> Event:
    return Event(
        kind="reversal",
        when=entry.posted_at,
        title=f"{entry.kind.replace('_', ' ').capitalize()} {entry.document}",
        url=f"/ledger/entries/{entry.entry_id}/",
        cents=entry.cents,
        by=entry.actor,
        text=entry.reason,
    )


def _change(change: Change) -> Event:
    field = _FIELDS.get(change.field, change.field.replace("_", " "))
    about = f"{change.what} {field}".strip()
    if change.done == "insert":
        title, text = f"{about.capitalize()} recorded", change.new
    elif change.done == "delete":
        title, text = f"{about.capitalize()} removed", change.old
    else:
        title, text = f"{about.capitalize()} changed", f"{change.old} → {change.new}"
    return Event("change", change.at, title, by=change.who, text=text)
