"""From what was owed on the day of the last bills to what was owed on the day of this one.

A bill asks for more than its own lines: what was owed before, the penalties that came since, the
true-ups of estimates, less what was paid. Each entry of the ledger between the two days belongs to
one reason, so that the reasons add up to the difference to the cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from chamberlain.billing.comparing.words import day_said
from chamberlain.billing.queries import BillRow
from chamberlain.database.rows import rows
from chamberlain.ledger.past import EntryMove, entries_since, past_balance

LABELS = {
    "penalties": gettext_noop("Late penalties"),
    "true_ups": gettext_noop("True-ups of estimates"),
    "rebills": gettext_noop("Bills set right"),
    "bills": gettext_noop("Other bills"),
    "charges": gettext_noop("Other charges"),
    "adjustments": gettext_noop("Adjustments"),
    "payments": gettext_noop("Payments"),
}
_REASONS = {
    "penalty": "penalties",
    "payment": "payments",
    "bill": "bills",
    "adjustment": "adjustments",
    "refund_paid": "adjustments",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in words, the cents (not 0) that it changed what is owed by, and its last day."""

    name: str
    label: str
    sentence: str
    cents: int
    last_on: date


@dataclass(frozen=True, slots=True)
class Owing:
    """What was owed at the ends of two days, and the reasons of the change.

    since: the day before that had a bill; on: the day of this one. before_cents + the reasons +
    bill_cents = now_cents, all of it owed less credit.
    """

    since: date
    on: date
    before_cents: int
    reasons: tuple[Reason, ...]
    bill_cents: int
    now_cents: int


_DAYS = """
    SELECT o.day, (SELECT max(d.day) FROM billing_bill b
        JOIN ledger_entry e ON e.id = b.entry_id
        JOIN ledger_businessday d ON d.id = e.business_day_id
        WHERE b.account_id = %s AND d.day < o.day)
    FROM ledger_entry n JOIN ledger_businessday o ON o.id = n.business_day_id WHERE n.id = %s
"""
# Bills that an entry raised or took back, if a rebill did it, and whether that was a true-up.
_REBILLED = """
    SELECT b.entry_id, bool_or(EXISTS (
        SELECT FROM rebilling_correctedread k JOIN estimating_trueup t ON t.rebill_id = k.rebill_id
        WHERE k.new_id = b.read_id OR k.old_id = b.read_id))
    FROM billing_bill b
    WHERE b.entry_id = ANY(%(entries)s) AND (b.replaces_id IS NOT NULL
        OR b.entry_id = ANY(%(reversed)s))
    GROUP BY b.entry_id
"""


def owing(bill: BillRow) -> Owing | None:
    """How what was owed on the day of a bill came about since the day that had a bill before.

    None for the first bill of the account, and for one of nothing.
    """
    if bill.entry_id is None:
        return None
    [(on, since)] = rows(_DAYS, [bill.account_id, bill.entry_id])
    if since is None:
        return None
    moves = entries_since(bill.account_id, since, on)
    before = past_balance(bill.account_id, since).balance_cents
    own = [move for move in moves if move.entry_id == bill.entry_id]
    others = [move for move in moves if move.entry_id != bill.entry_id]
    return Owing(
        since,
        on,
        before,
        _reasons(others),
        sum(move.balance_cents for move in own),
        before + sum(move.balance_cents for move in moves),
    )


def _reasons(moves: Sequence[EntryMove]) -> tuple[Reason, ...]:
    taken_back = [move.reverses_id for move in moves if move.reverses_id is not None]
    of_bills = [move.reverses_id or move.entry_id for move in moves if move.kind == "bill"]
    rebilled = dict(rows(_REBILLED, {"entries": of_bills, "reversed": taken_back}))
    by_reason: dict[str, list[EntryMove]] = {}
    for move in moves:
        by_reason.setdefault(_reason_of(move, rebilled), []).append(move)
    found = (
        Reason(
            name,
            _(label),
            _sentence(name, by_reason[name]),
            sum(move.balance_cents for move in by_reason[name]),
            by_reason[name][-1].day,
        )
        for name, label in LABELS.items()
        if name in by_reason
    )
    return tuple(reason for reason in found if reason.cents)


def _reason_of(move: EntryMove, rebilled: dict[int, bool]) -> str:
    found = rebilled.get(move.reverses_id or move.entry_id)
    if found is not None:
        return "true_ups" if found else "rebills"
    return _REASONS.get(move.kind, "charges")


def _sentence(name: str, moves: Sequence[EntryMove]) -> str:
    named = {"count": len(moves), "day": day_said(moves[-1].day)}
    if name == "true_ups":
        return (
            _("Bills that rested on an estimate were made again from the meter, on %(day)s.")
            % named
        )
    if name == "rebills":
        return _("Bills were taken back or made again, on %(day)s.") % named
    return ngettext("%(count)s, on %(day)s.", "%(count)s, the last on %(day)s.", len(moves)) % named
