"""A rebill undoes what the wrong bill did: a bill in its place stands as if it had been made right
on the day of the rebill, whatever penalties the wrong one drew and whoever paid when.

Two services with the same truth, paid the same. One is billed from wrong reads month by month,
late penalties are raised in the nights, some are paid; at the end it is set right. The other is
billed right on that day, from what was paid before. What stands billed and what is owed must then
be the same, and so must the penalties of the nights after. (Of several bills a payment stays with
the one that it was for, so the nights after are held together where there is one.)
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.billing.penalties.operations import raise_penalties
from chamberlain.billing.penalties.policy import load_late_policies
from chamberlain.billing.rebilling import operations
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.operations import NewRebill, RuleTerms
from chamberlain.database.rows import rows
from chamberlain.identity.actors import program_actor
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from tests.billing.rebilling_scenes import load_limits
from tests.billing.test_penalties import move_on, policy
from tests.billing.test_rebilling_equals_right import (
    START,
    History,
    Service,
    Terms,
    bill_on,
    billed,
    pay,
    read,
    service,
    tariff,
)
from tests.office import NOW, make_actor
from tests.web import scenes

DUE_DAYS = 24
PERIOD = 30
MONTHS = 3
HOUSE = Terms("house", 1, ())


@dataclass(frozen=True)
class Late:
    """Usages of each bill, what was believed instead, what was paid in each month, how many days
    it waits for the rebill, and how many lie between the nights after."""

    usages: list[int]
    believed: list[int]
    payments: list[int]
    waits: int
    nights_after: int


@st.composite
def lates(draw: st.DrawFn) -> Late:
    periods = draw(st.integers(1, 3))
    usage = st.integers(0, 20_000)
    usages = draw(st.lists(usage, min_size=periods, max_size=periods))
    # Every bill is wrong, so that every bill is replaced.
    slips = draw(st.lists(st.integers(1, 5_000), min_size=periods, max_size=periods))
    payments = draw(st.lists(st.integers(0, 15_000), min_size=MONTHS, max_size=MONTHS))
    return Late(
        usages,
        [used + slip for used, slip in zip(usages, slips, strict=True)],
        payments,
        draw(st.integers(0, 70)),
        draw(st.integers(1, 70)),
    )


@pytest.mark.django_db
@settings(max_examples=20, deadline=None)
@given(lates())
def test_a_bill_set_right_stands_as_one_made_right_that_day(late: Late) -> None:
    with transaction.atomic():
        _hold_the_two_together(late)
        transaction.set_rollback(True)


def _hold_the_two_together(late: Late) -> None:
    chart.forget()
    center, day = scenes.revenue_office()
    for kind, priority in (("water", 10), ("sewer", 20), ("penalty", 30)):
        chart.ensure_charge_kind(kind, kind.title(), priority)
    load_limits(RuleTerms(date(2010, 1, 1), 24, 60, 10**9, DUE_DAYS, "chosen for the test", False))
    load_late_policies(
        program_actor(), [policy(charge_kinds=("water", "sewer"), exempt=(), grace_days=0)]
    )
    right, other = tariff("right", is_wrong=False), tariff("other", is_wrong=False)
    truth, belief = (service(_plain(late), each, is_right=True) for each in (right, other))
    start, read_ids = START, []
    for month, cents in enumerate(late.payments):
        end = start + timedelta(days=PERIOD)
        day = _on(day, max(end, day.day + timedelta(days=PERIOD)))
        if month < len(late.believed):
            read_ids.append(read(belief, start, end, late.believed[month]))
            bill_on({other.code}, end, day.pk, day.day + timedelta(days=DUE_DAYS))
        pay(center.pk, belief.number, cents)
        pay(center.pk, truth.number, cents)
        _night(day)
        start = end
    day = _on(day, day.day + timedelta(days=late.waits))
    _night(day)
    _set_right(belief, dict(zip(read_ids, late.usages, strict=True)), day)
    _bill_right(truth, late, right.code, day)
    assert billed(belief.account) == billed(truth.account)
    assert balance(belief.account) == balance(truth.account)
    assert _penalties(belief) == []
    for _ in range(2 if len(late.usages) == 1 else 0):
        day = _on(day, day.day + timedelta(days=late.nights_after))
        _night(day)
        assert _penalties(belief) == _penalties(truth)
        assert balance(belief.account) == balance(truth.account)
    assert prove(program_actor()).differences == ()


def _plain(late: Late) -> History:
    """The same holder and terms all the time."""
    days = [PERIOD for _ in late.usages]
    return History(
        days, late.usages, late.believed, late.payments, HOUSE, HOUSE, 0, 0, 0, False, False, True
    )


def _on(day: BusinessDay, to: date) -> BusinessDay:
    return day if day.day == to else move_on(day, to)


def _night(day: BusinessDay) -> None:
    since = None if rows("SELECT 1 FROM penalties_penaltyrun LIMIT 1", []) else START
    raise_penalties(program_actor(), day.day, day.pk, NOW, since)


def _set_right(belief: Service, reads: dict[int, int], day: BusinessDay) -> None:
    asked = NewRebill(
        belief.number, START, None, "court_order", "Set right", Corrections(reads=reads)
    )
    rebill_id = operations.draft_rebill(program_actor(), asked, day.day, NOW, "set right")
    second = replace(program_actor(), user_id=make_actor("second").user_id)
    operations.post_rebill(second, rebill_id, day.pk, day.day, NOW)


def _bill_right(truth: Service, late: Late, code: str, day: BusinessDay) -> None:
    start = START
    for used in late.usages:
        end = start + timedelta(days=PERIOD)
        read(truth, start, end, used)
        start = end
    bill_on({code}, start, day.pk, day.day + timedelta(days=DUE_DAYS))


def _penalties(where: Service) -> list[tuple[object, ...]]:
    """Penalties that stand: the day, what was late, the cents."""
    return rows(
        """
        SELECT p.falls_on, k.code, o.raised_on, c.cents, count(*)
        FROM penalties_penalty p
        JOIN ledger_charge c ON c.id = p.charge_id
        JOIN ledger_charge o ON o.id = p.caused_by_id
        JOIN ledger_chargekind k ON k.id = o.kind_id
        WHERE c.account_id = %s
            AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id)
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""",
        [where.account],
    )
