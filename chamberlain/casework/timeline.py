"""One timeline of an account: its bills, payments, reads, letters, certificates, changes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils.timezone import localtime

from chamberlain.billing.accounts import ReadRow, reads_of_account
from chamberlain.billing.certificates.queries import (
    applications_of_account,
    certificates_of_account,
)
from chamberlain.billing.explanation import quantity_in_words
from chamberlain.billing.plans.queries import PlanRow, plans_of_account
from chamberlain.billing.queries import BillRow, bills_of_account
from chamberlain.casework.letters.queries import LetterRow, letters_of_account
from chamberlain.identity.actors import Actor
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.past import OtherEntry, other_entries
from chamberlain.ledger.statements import (
    EntryRow,
    PaymentRow,
    payments_of_account,
    reversals_of_account,
)
from chamberlain.metering.watching.queries import FindingRow, findings_of_account
from chamberlain.registry.history import Change, changes

EACH_MAX = 200
EACH_MAX_OF_CHOSEN = 5000
"""How many of each kind are looked through for some days, or written into an export."""
KINDS = {
    "bill": "Bills",
    "payment": "Payments",
    "read": "Reads",
    "penalty": "Penalties",
    "adjustment": "Charges and adjustments",
    "reversal": "Reversals",
    "certificate": "Certificates",
    "plan": "Payment plans",
    "letter": "Letters",
    "finding": "Usage worklist",
    "change": "Changes",
}
_DONE = {"insert": "recorded", "update": "changed", "delete": "removed"}
_DAYS = re.compile(r"\[(\d{4}-\d\d-\d\d),(\d{4}-\d\d-\d\d)?\)")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. when: a day, or an instant when the hour is known.

    about, key: what it is about, such as a `bill` and its number; "" for nothing of its own.
    business_day: the one that it was posted on, where it moved money.
    """

    kind: str
    when: date | datetime
    title: str
    about: str = ""
    key: str = ""
    cents: int | None = None
    by: str = ""
    tag: str = ""
    tone: str = ""
    text: str = ""
    business_day: date | None = None

    @property
    def has_hour(self) -> bool:
        """Whether the hour is known."""
        return isinstance(self.when, datetime)

    @property
    def day(self) -> date:
        """The day it happened on, in the city's time."""
        if self.business_day is not None:
            return self.business_day
        when = self.when
        return localtime(when).date() if isinstance(when, datetime) else when


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a timeline is wanted: a kind of KINDS or "", and the first and last day."""

    kind: str = ""
    since: date | None = None
    until: date | None = None

    def takes(self, event: Event) -> bool:
        """Whether the event lies in the days."""
        day = event.day
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )


@dataclass(frozen=True, slots=True)
class Viewer:
    """sees_changes: whether they may see who changed what. unmasked: whether contacts too."""

    sees_changes: bool
    unmasked: bool

    @classmethod
    def of(cls, actor: Actor) -> "Viewer":
        """What the actor's roles allow."""
        return cls(actor.may("history.view"), actor.may("contact.view"))


def kinds_for(actor: Actor) -> dict[str, str]:
    """The kinds of events that the actor may see, with their labels."""
    sees_changes = actor.may("history.view")
    return {kind: label for kind, label in KINDS.items() if kind != "change" or sees_changes}


def latest(account_id: int, events: int) -> list[Event]:
    """The latest bills and payments, the newest first."""
    found = [
        *map(_bill, bills_of_account(account_id, events)),
        *map(_payment, payments_of_account(account_id, events)),
    ]
    return _newest_first(found)[:events]


def timeline(
    account_id: int, choice: Choice, viewer: Viewer, each_max: int | None = None
) -> list[Event]:
    """The chosen events, the newest first; of each kind the latest `each_max` are looked at.

    each_max: EACH_MAX without a choice of days, EACH_MAX_OF_CHOSEN with one.
    """
    days_chosen = choice.since is not None or choice.until is not None
    limit = each_max or (EACH_MAX_OF_CHOSEN if days_chosen else EACH_MAX)
    kind = choice.kind
    found: list[Event] = []
    if kind in ("", "bill", "penalty", "adjustment"):
        bills = bills_of_account(account_id, limit)
        others = other_entries(account_id, limit) if kind != "bill" else []
        events = [*map(_bill, bills), *_others(others, bills)]
        found += [event for event in events if kind in ("", event.kind)]
    if kind in ("", "payment"):
        found += map(_payment, payments_of_account(account_id, limit))
    if kind in ("", "read"):
        found += map(_read, reads_of_account(account_id, limit))
    if kind in ("", "reversal"):
        found += map(_reversal, reversals_of_account(account_id, limit))
    if kind in ("", "certificate"):
        found += _certificates(account_id)
    if kind in ("", "finding"):
        found += map(_finding, findings_of_account(account_id, limit))
    if kind in ("", "plan"):
        found += map(_plan, plans_of_account(account_id))
    if kind in ("", "letter"):
        found += map(_letter, letters_of_account(account_id, limit))
    if kind in ("", "change") and viewer.sees_changes:
        found += changes_in_words(changes(account_id, unmasked=viewer.unmasked, limit=limit))
    return _newest_first(filter(choice.takes, found))


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
        about="bill",
        key=bill.number,
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
        about="entry",
        key=str(payment.entry_id),
        cents=-payment.cents,
        by=payment.actor,
        tag="Reversed" if payment.is_reversed else "",
        tone="bad",
        text=payment.center,
        business_day=payment.day,
    )


def _others(entries: Iterable[OtherEntry], bills: Iterable[BillRow]) -> Iterator[Event]:
    """Entries that neither a bill nor a payment stands for."""
    of_bills = {bill.entry_id for bill in bills}
    for entry in entries:
        if entry.entry_id in of_bills:
            continue
        moved = f"{show_cents(entry.moved_cents)} moved, the balance stayed"
        yield Event(
            kind="penalty" if "penalt" in entry.kind else "adjustment",
            when=entry.posted_at,
            title=f"{entry.kind.replace('_', ' ').capitalize()} {entry.document}",
            about="entry",
            key=str(entry.entry_id),
            cents=entry.balance_cents or None,
            by=entry.actor,
            text=entry.reason or ("" if entry.balance_cents else moved),
            business_day=entry.day,
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


def _finding(row: FindingRow) -> Event:
    """An entry of the usage worklist."""
    return Event(
        kind="finding",
        when=row.found_on,
        title=row.rule_name,
        about="finding",
        key=str(row.finding_id),
        tag="" if row.is_open else row.resolution,
        tone="ok",
        text=row.sentence,
    )


def _reversal(entry: EntryRow) -> Event:
    return Event(
        kind="reversal",
        when=entry.posted_at,
        title=f"{entry.kind.replace('_', ' ').capitalize()} {entry.document}",
        about="entry",
        key=str(entry.entry_id),
        cents=entry.cents,
        by=entry.actor,
        text=entry.reason,
        business_day=entry.day,
    )


def _plan(row: PlanRow) -> Event:
    return Event(
        kind="plan",
        when=row.starts_on,
        title=f"Payment plan {row.number}",
        about="plan",
        key=row.number,
        by=row.offered_by,
        tag=row.status_name,
        tone="bad" if row.status == "defaulted" else "info",
        text=row.sentence or row.terms_name,
    )


def _letter(row: LetterRow) -> Event:
    return Event(
        kind="letter",
        when=row.sent_at,
        title=f"Letter {row.number}",
        about="letter",
        key=row.number,
        by=row.sent_by,
        text=row.subject,
    )


def _certificates(account_id: int) -> Iterator[Event]:
    """Applications for full payment certificates, and the certificates."""
    for asked in applications_of_account(account_id):
        yield Event(
            kind="certificate",
            when=asked.received_at,
            title=f"Application {asked.number} for a full payment certificate",
            about="application",
            key=asked.number,
            by="" if asked.is_from_public else asked.received_by,
            text=f"Closing {asked.closing_on:%B} {asked.closing_on.day}, {asked.closing_on.year}",
        )
    for made in certificates_of_account(account_id):
        yield Event(
            kind="certificate",
            when=made.issued_on,
            title=f"Full payment certificate {made.number}",
            about="application",
            key=made.application_number,
            by=made.issued_by,
            tag="Replaced" if made.is_replaced else "",
            tone="info",
            text=made.reason,
        )


def changes_in_words(found: Iterable[Change]) -> Iterator[Event]:
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
