"""A bill in plain words: what each line was reckoned from, and why it differs from the last.

Every sentence is made from what the line keeps (quantity, rate, days, steps); nothing is rated
again. Amounts in sentences are exact: a product of a quantity and a rate is shown in full, and
the line's rounding to the cent is said where it changes the figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_noop, pgettext
from django.utils.translation import gettext as _

from chamberlain.billing.queries import BillRow, LineRow
from chamberlain.kernel.money import decimal_of_micros, show_cents

_UNITS = {
    "ccf": (gettext_noop("hundred cubic feet"), gettext_noop("hundred cubic feet")),
    "mcf": (gettext_noop("thousand cubic feet"), gettext_noop("thousand cubic feet")),
    "kgal": (gettext_noop("thousand gallons"), gettext_noop("thousand gallons")),
    "gal": (gettext_noop("gallon"), gettext_noop("gallons")),
    "kl": (gettext_noop("kilolitre"), gettext_noop("kilolitres")),
    "month": (gettext_noop("month"), gettext_noop("months")),
    "day": (gettext_noop("day"), gettext_noop("days")),
    "period": (gettext_noop("billing period"), gettext_noop("billing periods")),
    "fixture": (gettext_noop("fixture"), gettext_noop("fixtures")),
    "unit-period": (gettext_noop("dwelling unit"), gettext_noop("dwelling units")),
    "unit-month": (gettext_noop("dwelling-unit month"), gettext_noop("dwelling-unit months")),
    "unit-day": (gettext_noop("dwelling-unit day"), gettext_noop("dwelling-unit days")),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of this bill against the same line of the bill before, in cents."""

    label: str
    cents: int
    before_cents: int

    @property
    def change_cents(self) -> int:
        """This bill less the one before."""
        return self.cents - self.before_cents


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why this bill is what it is, beside the bill before. The differences add up to the change."""

    sentences: tuple[str, ...]
    differences: tuple[Difference, ...]
    change_cents: int


def quantity_in_words(thousandths: int, unit: str) -> str:
    """`12500` of `ccf` as `12.5 hundred cubic feet`."""
    return f"{plain(thousandths)} {unit_in_words(unit, is_one=thousandths == 1000)}"


def unit_in_words(unit: str, *, is_one: bool = False) -> str:
    """`ccf` as `hundred cubic feet`."""
    one, many = _UNITS.get(unit, (unit.replace("_", " "), unit.replace("_", " ")))
    return _(one if is_one else many)


def plain(thousandths: int) -> str:
    """`12500` as `12.5`."""
    return _plain(Decimal(thousandths).scaleb(-3))


def explain_line(line: LineRow) -> list[str]:
    """What a line was reckoned from: one sentence, or one for each of its steps."""
    if line.steps:
        return [_step(step, line.unit) for step in line.steps]
    if line.rate_micros is None:
        return [_(line.formula) if line.formula else ""]
    return [_product(line.quantity_thousandths, line.unit, line.rate_micros)]


def _step(step: dict[str, Any], unit: str) -> str:
    words = []
    if step.get("tier"):
        words.append(_("Tier %(tier)s") % {"tier": step["tier"]})
    if step.get("from_on") and step.get("to_on"):
        first = date.fromisoformat(step["from_on"])
        last = date.fromisoformat(step["to_on"]) - timedelta(days=1)
        words.append(_("%(first)s to %(last)s") % {"first": _short(first), "last": _short(last)})
    elif step.get("days"):
        words.append(_("%(days)s days") % {"days": step["days"]})
    product = _product(
        int(step.get("quantity_thousandths") or 0), unit, int(step.get("rate_micros") or 0)
    )
    return f"{', '.join(words)}: {product}" if words else product


def _product(thousandths: int, unit: str, rate_micros: int) -> str:
    quantity = Decimal(thousandths).scaleb(-3)
    if unit in ("percent", "dollar"):
        percent = _plain(decimal_of_micros(rate_micros) * 100)
        whole = f"${quantity:,.2f}"
        return _("%(percent)s %% of %(amount)s") % {"percent": percent, "amount": whole}
    rate = decimal_of_micros(rate_micros)
    return _("%(quantity)s at %(rate)s = %(amount)s") % {
        "quantity": quantity_in_words(thousandths, unit),
        "rate": _dollars(rate),
        "amount": _dollars(quantity * rate),
    }


def _short(day: date) -> str:
    if (get_language() or "en").startswith("en"):
        return f"{day:%b} {day.day}, {day.year}"
    return date_format(day, pgettext("short day", "M j, Y"))


def _dollars(amount: Decimal) -> str:
    """At least two decimals, and as many as the amount has."""
    plain = amount.normalize()
    exponent = plain.as_tuple().exponent
    decimals = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"${plain:,.{decimals}f}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():,f}"


def explain_bill(
    bill: BillRow,
    lines: Sequence[LineRow],
    before: BillRow | None,
    lines_before: Sequence[LineRow],
) -> Explanation:
    """Why this bill is more or less than the one before."""
    if before is None:
        return Explanation(("This is the first bill of this service.",), (), 0)
    change = bill.total_cents - before.total_cents
    sentences = [_changed(change, before), *_days_and_usage(bill, before)]
    sentences += _rates(lines, lines_before)
    return Explanation(tuple(sentences), tuple(_differences(lines, lines_before)), change)


def _changed(change_cents: int, before: BillRow) -> str:
    named = f"bill {before.number}, for the days up to {_last_day(before)}"
    if change_cents == 0:
        return f"This bill is as much as {named}."
    more = "more" if change_cents > 0 else "less"
    return f"This bill is {show_cents(abs(change_cents))} {more} than {named}."


def _days_and_usage(bill: BillRow, before: BillRow) -> list[str]:
    days, days_before = ((b.to_on - b.from_on).days for b in (bill, before))
    sentences = []
    if days != days_before:
        sentences.append(f"It is for {days} days; the one before was for {days_before}.")
    usage, usage_before = bill.usage_thousandths, before.usage_thousandths
    if usage is None or usage_before is None or bill.unit is None or bill.unit != before.unit:
        return sentences
    now, then = quantity_in_words(usage, bill.unit), quantity_in_words(usage_before, bill.unit)
    if usage == usage_before:
        sentences.append(f"The usage is the same: {now}.")
    else:
        more = "more" if usage > usage_before else "less"
        sentences.append(f"The usage is {more}: {now} after {then}.")
    if "estimate" in (bill.quality, before.quality):
        which = "This bill" if bill.quality == "estimate" else "The bill before"
        sentences.append(f"{which} rests on an estimated read.")
    return sentences


def _rates(lines: Sequence[LineRow], lines_before: Sequence[LineRow]) -> list[str]:
    then = {line.code: line.rate_micros for line in lines_before}
    return [
        f"The rate of {line.label} changed from {_dollars(decimal_of_micros(old))} "
        f"to {_dollars(decimal_of_micros(line.rate_micros))}."
        for line in lines
        if line.rate_micros is not None
        and (old := then.get(line.code)) is not None
        and old != line.rate_micros
        and line.unit not in ("percent", "dollar")
    ]


def _differences(lines: Sequence[LineRow], lines_before: Sequence[LineRow]) -> list[Difference]:
    now = {line.code: line for line in lines}
    then = {line.code: line for line in lines_before}
    codes = [*now, *(code for code in then if code not in now)]
    return [
        Difference(
            label=(now.get(code) or then[code]).label,
            cents=now[code].cents if code in now else 0,
            before_cents=then[code].cents if code in then else 0,
        )
        for code in codes
    ]


def _last_day(bill: BillRow) -> str:
    last = bill.to_on - timedelta(days=1)
    return f"{last:%B} {last.day}, {last.year}"
