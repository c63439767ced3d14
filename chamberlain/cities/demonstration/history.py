"""The past of the made-up city, day by day: bills go out, money comes in, days are sealed.

For each two-month period the revenue office works on three days: the bills go out, most people
pay two weeks later, some pay late. Twice a year non-metered accounts are billed for a season.
Between, citations, stickers and licenses are entered. A day is drawn from the seed and the date
alone, and is posted and sealed in one transaction, so a day that was not sealed is simply played.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from django.db import connections, transaction

from chamberlain.billing.operations import RunPlan, plan_bill_run
from chamberlain.billing.running import run
from chamberlain.cities.demonstration import obligations, payments
from chamberlain.cities.demonstration.usage import CYCLE_MONTHS, period_ends
from chamberlain.cities.loading import city_folder
from chamberlain.cities.schema import CityTerms, read_city
from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Center
from chamberlain.kernel.calendar import BusinessCalendar
from chamberlain.kernel.periods import add_months
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_business_day, seal_business_day

OFFICE = "REV"
METERED = "chicago-metered"
NON_METERED = "chicago-non-metered"
_ISSUED_AFTER = 4
_PAID_AFTER = 14
_PAID_LATE_AFTER = 40
_ANALYZED_AFTER = (0, 2, 8)
_GROWING = (
    "ledger_account",
    "ledger_balance",
    "ledger_charge",
    "ledger_entry",
    "ledger_settlement",
    "ledger_transfer",
    "metering_read",
    "billing_bill",
    "billing_billline",
    "billing_serviceagreement",
)


@dataclass(frozen=True, slots=True)
class Past:
    """Which past: its seed, the end of its last period, how many periods, and today."""

    seed: int
    last_end: date
    periods: int
    today: date


@dataclass(frozen=True, slots=True)
class Workday:
    """A day of the revenue office. bills: the end of a metered period to bill; season: the first
    day of a non-metered season to bill; pays: which payers pay on it."""

    day: date
    bills: date | None = None
    season: date | None = None
    pays: str = ""


def workdays(
    past: Past, calendar: BusinessCalendar, season_starts: tuple[int, ...]
) -> list[Workday]:
    """The days of a past before today, in order, each once."""
    days: list[Workday] = []
    for end in period_ends(past.last_end, past.periods):
        issued = calendar.on_or_after(end + timedelta(days=_ISSUED_AFTER))
        paid = calendar.on_or_after(issued + timedelta(days=_PAID_AFTER))
        late = calendar.on_or_after(issued + timedelta(days=_PAID_LATE_AFTER))
        season = _season_billed_by(late, season_starts)
        days += [
            Workday(issued, bills=end),
            Workday(paid, pays="soon"),
            Workday(late, season=season, pays="late"),
        ]
    return [day for day in days if day.day < past.today]


def _season_billed_by(day: date, season_starts: tuple[int, ...]) -> date | None:
    """The season that begins within the month after a day, which is when it is billed."""
    for months in (0, 1, 2):
        first = add_months(day.replace(day=1), months)
        if first.month in season_starts and 0 <= (first - day).days < 31 * CYCLE_MONTHS - 1:
            return first
    return None


def play(actor: Actor, past: Past, progress: Callable[[str], None]) -> None:
    """Plays every day of the past that is not sealed yet, and none once the office is at work."""
    city = read_city(city_folder("chicago"))
    center = Center.objects.get(code=OFFICE)
    starts = city.policies.billing.season_starts if city.policies else ()
    due_days = city.policies.billing.due_days if city.policies else 0
    days = workdays(past, calendar_of(city.city), starts)
    sealed = set(
        BusinessDay.objects.filter(center=center, closed_at__isnull=False).values_list(
            "day", flat=True
        )
    )
    latest = max(sealed, default=date.min)
    waiting = [day for day in days if day.day > latest]
    at_work = BusinessDay.objects.filter(center=center, closed_at=None)
    if not waiting or at_work.exclude(day__in=[day.day for day in waiting]).exists():
        return
    _analyze()
    books = payments.Books(past.seed, days[0].day)
    for number, day in enumerate(waiting):
        progress(f"Chicago on {day.day:%B %-d, %Y}")
        _play_day(actor, center.pk, past.seed, day, due_days, books)
        if number in _ANALYZED_AFTER:
            _analyze()
    _analyze()


def calendar_of(city: CityTerms) -> BusinessCalendar:
    """The business calendar that a city's file describes."""
    terms = city.calendar
    return BusinessCalendar(
        terms.country, terms.subdivision, closed_days=frozenset(terms.closed_days)
    )


def _play_day(
    actor: Actor, center_id: int, seed: int, day: Workday, due_days: int, books: payments.Books
) -> None:
    now = datetime.combine(day.day, time(15, 0), UTC)
    opened = open_business_day(actor, center_id, day.day, now)
    for plan in _plans(day, opened.pk, day.day + timedelta(days=due_days)):
        run(plan_bill_run(actor, plan, now, f"demonstration {plan.name}"))
    random = np.random.default_rng([seed, day.day.toordinal()])
    with transaction.atomic():
        if day.pays == "late":
            obligations.enter(actor, random, opened.pk, day.day, now)
        if day.pays:
            books.pay(actor, random, opened.pk, day.day, day.pays, now)
        seal_business_day(actor, opened.pk, now + timedelta(hours=7))


def _plans(day: Workday, business_day_id: int, due_on: date) -> list[RunPlan]:
    plans = []
    if day.bills:
        plans.append(
            RunPlan(
                name=f"Metered accounts, reads up to {day.bills:%B %-d, %Y}",
                tariff_code=METERED,
                business_day_id=business_day_id,
                due_on=due_on,
                reads_up_to=day.bills,
                reads_after=add_months(day.bills, -CYCLE_MONTHS),
                cycle_months=CYCLE_MONTHS,
            )
        )
    if day.season:
        plans.append(
            RunPlan(
                name=f"Non-metered accounts, season from {day.season:%B %-d, %Y}",
                tariff_code=NON_METERED,
                business_day_id=business_day_id,
                due_on=due_on,
                reads_up_to=day.day,
                is_metered=False,
                season_from_on=day.season,
                season_to_on=add_months(day.season, 6),
            )
        )
    return plans


def _analyze() -> None:
    """Tells the planner how large the tables have become; only their owner may."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_GROWING)}")
