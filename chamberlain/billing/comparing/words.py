"""The parts of a difference in plain words, each with its arithmetic."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import polars as pl
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_noop, ngettext, pgettext
from django.utils.translation import gettext as _

from chamberlain.billing.comparing.splitting import PARTS
from chamberlain.billing.explanation import quantity_in_words
from chamberlain.billing.queries import BillRow
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import day_in_words
from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.schedule import Schedule

LABELS = {
    "days": gettext_noop("Days"),
    "usage": gettext_noop("Usage"),
    "rates": gettext_noop("Rates"),
    "terms": gettext_noop("Terms"),
    "other": gettext_noop("Other"),
}
_TERMS = {
    "rate_class": gettext_noop("class"),
    "meter_size": gettext_noop("meter size"),
    "dwelling_units": gettext_noop("dwelling units"),
    "exemptions": gettext_noop("exemptions"),
    "attributes": gettext_noop("details of the service"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A reason, in words, and the cents that it changed the bill by."""

    name: str
    label: str
    cents: int
    sentence: str


@dataclass(frozen=True, slots=True)
class LineSplit:
    """A printed line of both bills; parts are in the order of PARTS and add up to the change."""

    label: str
    before_cents: int
    parts: tuple[int, ...]
    cents: int

    @property
    def change_cents(self) -> int:
        """This bill's line less that of the bill before."""
        return self.cents - self.before_cents


@dataclass(frozen=True, slots=True)
class Comparison:
    """A bill against an earlier one. The parts add up to change_cents, as do the lines."""

    name: str
    bill: BillRow
    before: BillRow
    change_cents: int
    headline: str
    parts: tuple[Part, ...]
    lines: tuple[LineSplit, ...]


def comparison(
    name: str,
    bill: BillRow,
    before: BillRow,
    sides: dict[int, dict[str, Any]],
    split: pl.DataFrame,
    labels: dict[int, str],
    schedule: Schedule | OwrsSchedule,
) -> Comparison:
    """One pair in words. sides: what each bill was made from, by its id; split: the pair's rows;
    labels: of printed lines, by component.
    """
    now, then = sides[bill.bill_id], sides[before.bill_id]
    sums = {part: int(split[f"{part}_cents"].sum()) for part in PARTS}
    is_rated = bool(split["is_rated"].all())
    sentences = {
        "days": _days(now, then),
        "usage": _usage(now, then, bill, before),
        "rates": _rates(schedule, before, bill, split, labels),
        "terms": _terms(now, then),
        "other": _other(sums["other"], is_rated),
    }
    return Comparison(
        name,
        bill,
        before,
        bill.total_cents - before.total_cents,
        _headline(bill.total_cents - before.total_cents, before),
        tuple(Part(part, _(LABELS[part]), sums[part], sentences[part]) for part in PARTS),
        tuple(_lines(split, labels)),
    )


def _headline(change_cents: int, before: BillRow) -> str:
    named = {
        "amount": show_cents(abs(change_cents)),
        "number": before.number,
        "days": days_in_words(before.from_on, before.to_on),
    }
    if change_cents == 0:
        return _("This bill is as much as bill %(number)s, for %(days)s.") % named
    if change_cents > 0:
        return _("This bill is %(amount)s more than bill %(number)s, for %(days)s.") % named
    return _("This bill is %(amount)s less than bill %(number)s, for %(days)s.") % named


def days_in_words(from_on: date, to_on: date) -> str:
    """`March 1, 2026 to April 30, 2026`: the first and the last day of a closed-open period."""
    return _("%(first)s to %(last)s") % {
        "first": day_said(from_on),
        "last": day_said(to_on - timedelta(days=1)),
    }


def day_said(day: date) -> str:
    """A day in the language of the page."""
    if (get_language() or "en").startswith("en"):
        return day_in_words(day)
    return date_format(day, pgettext("long day", "F j, Y"))


def _lines(split: pl.DataFrame, labels: dict[int, str]) -> list[LineSplit]:
    return [
        LineSplit(
            labels.get(row["component_id"], "Line"),
            row["before_cents"],
            tuple(row[f"{part}_cents"] for part in PARTS),
            row["cents"],
        )
        for row in split.to_dicts()
    ]


def _length(side: dict[str, Any]) -> int:
    return int((side["to_on"] - side["from_on"]).days)


def _days(now: dict[str, Any], then: dict[str, Any]) -> str:
    days, before = _length(now), _length(then)
    if days == before:
        return _("Both bills are for %(days)s days.") % {"days": days}
    counted = {"days": days, "before": before, "between": abs(days - before)}
    if days > before:
        said = ngettext(
            "This bill is for %(days)s days, the earlier one for %(before)s. The difference is "
            "what %(between)s day more comes to, with as much used on it and at the rates of then.",
            "This bill is for %(days)s days, the earlier one for %(before)s. The difference is "
            "what %(between)s days more come to, with as much used on each day and at the rates "
            "of then.",
            counted["between"],
        )
    else:
        said = ngettext(
            "This bill is for %(days)s days, the earlier one for %(before)s. The difference is "
            "what %(between)s day fewer comes to, with as much used on it and at the rates of "
            "then.",
            "This bill is for %(days)s days, the earlier one for %(before)s. The difference is "
            "what %(between)s days fewer come to, with as much used on each day and at the rates "
            "of then.",
            counted["between"],
        )
    return said % counted


def _usage(now: dict[str, Any], then: dict[str, Any], bill: BillRow, before: BillRow) -> str:
    if now["unit"] is None or then["unit"] is None:
        return _("Usage is not metered here.")
    sentences = [
        _(
            "%(used)s were used in %(days)s days, %(daily)s a day; on the earlier bill %(then)s "
            "in %(days_then)s days, %(daily_then)s a day."
        )
        % {
            "used": _used(now),
            "days": _length(now),
            "daily": per_day(now),
            "then": _used(then),
            "days_then": _length(then),
            "daily_then": per_day(then),
        }
    ]
    if bill.quality == "estimate":
        sentences.append(_("This bill rests on an estimated read."))
    if before.quality == "estimate":
        sentences.append(_("The earlier bill rests on an estimated read."))
    return " ".join(sentences)


def _used(side: dict[str, Any]) -> str:
    return quantity_in_words(side["usage_thousandths"], side["unit"])


def per_day(side: dict[str, Any]) -> str:
    """Usage a day to three decimals, without its unit."""
    day = Decimal(side["usage_thousandths"]) / _length(side) / 1000
    return f"{day.quantize(Decimal('0.001'), ROUND_HALF_UP):,f}"


def _rates(
    schedule: Schedule | OwrsSchedule,
    before: BillRow,
    bill: BillRow,
    split: pl.DataFrame,
    labels: dict[int, str],
) -> str:
    """Which lines have new figures, since when, and what each changed by."""
    changed = dict(split.select("component_id", "rates_cents").iter_rows())
    found = []
    for component_id, cents in changed.items():
        if cents:
            since = _since(schedule, component_id, before, bill)
            line = _(labels.get(component_id, gettext_noop("A line")))
            if since:
                days = _(" and ").join(map(day_said, since))
                line = _("%(line)s since %(days)s") % {"line": line, "days": days}
            found.append(f"{line}: {signed(cents)}")
    if not found:
        return _("No rate changed this bill.")
    return _("Rates changed. %(lines)s.") % {"lines": "; ".join(found)}


def _since(
    schedule: Schedule | OwrsSchedule, component_id: int, before: BillRow, bill: BillRow
) -> list[date]:
    if isinstance(schedule, OwrsSchedule):
        return []
    return [
        version.effective
        for component in schedule.components
        if component.id == component_id
        for version in component.versions
        if before.from_on < version.effective < bill.to_on
    ]


def _terms(now: dict[str, Any], then: dict[str, Any]) -> str:
    changed = [
        _("%(what)s: %(now)s instead of %(then)s")
        % {"what": _(words), "now": _shown(now[name]), "then": _shown(then[name])}
        for name, words in _TERMS.items()
        if now[name] != then[name]
    ]
    if not changed:
        return _("Class, units, meter size and exemptions are the same.")
    return _("Other terms: %(terms)s.") % {"terms": "; ".join(changed)}


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value if each) or _("none")
    return str(value).replace("_", " ") if value not in (None, "") else _("none")


def _other(cents: int, is_rated: bool) -> str:
    if not is_rated:
        return _(
            "One of the bills cannot be rated again by the tariff, so its parts are not known."
        )
    if cents == 0:
        return _("Both bills are what their reads and rates give.")
    return _(
        "What the bills differ from what their reads and rates give, such as a line set by hand."
    )


def signed(cents: int) -> str:
    """`+$1.50`, `−$1.50` or `$0.00`."""
    sign = "+" if cents > 0 else "−" if cents < 0 else ""
    return f"{sign}{show_cents(abs(cents))}"
