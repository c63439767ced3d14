"""One timeline of an account: its bills, payments, reads, reversals and changes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

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
_DONE = {"insert": "recorded", "update": "changed", "delete": "removed"}
_DAYS = re.compile(r"\[(\d{4}-\d\d-\d\d),(\d{4}-\d\d-\d\d)?\)")


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
        found += _changes(changes(account_id, unmasked=unmasked, limit=EACH_MAX))
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


def _changes(found: Iterable[Change]) -> Iterator[Event]:
    """One event for all fields of one thing that one person changed at once."""
    together: dict[tuple[datetime, str, str, str], list[Change]] = {}
    for change in found:
        key = (change.at, change.who, change.what, change.done)
        together.setdefault(key, []).append(change)
    for (at, who, what, done), fields in together.items():
        title = f"{what.capitalize()} {_DONE.get(done, done)}"
        yield Event("change", at, title, by=who, text="; ".join(map(_field, fields)))


def _field(change: Change) -> str:
    name = change.field.removesuffix("_id").replace("_", " ")
    old, new = _value(change.old), _value(change.new)
    if change.done == "update":
        return f"{name}: {old or 'nothing'} → {new or 'nothing'}"
    return f"{name}: {new or old}"


def _value(text: str) -> str:
    """A value as people read it; a range of days by its first and last day."""
    if not (found := _DAYS.fullmatch(text)):
        return text
    first, after = found.groups()
    start = date.fromisoformat(first)
    if not after:
        return f"from {start:%b} {start.day}, {start.year}"
    last = date.fromisoformat(after) - timedelta(days=1)
    return f"{start:%b} {start.day}, {start.year} to {last:%b} {last.day}, {last.year}"
