"""The words of a bill, in the language of its holder."""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chamberlain.billing.comparing.words import day_said
from chamberlain.billing.explanation import plain, quantity_in_words, unit_in_words
from chamberlain.billing.plans.queries import BilledInstalment
from chamberlain.billing.queries import BillRow
from chamberlain.database.rows import rows
from chamberlain.kernel.money import show_cents
from chamberlain.metering.parts import PartRow

ENGLISH = "en"

_LANGUAGES_SQL = """
    SELECT b.id, c.language FROM billing_bill b
    JOIN LATERAL (SELECT k.customer_id FROM registry_accountholding k
        WHERE k.account_id = b.account_id AND (k.period @> b.to_on - 1 OR upper_inf(k.period))
        ORDER BY lower(k.period) LIMIT 1) h ON true
    JOIN registry_customer c ON c.id = h.customer_id
    WHERE b.id = ANY(%s) AND c.language = ANY(%s) AND c.language <> 'en'
"""


def languages_of(bill_ids: Sequence[int]) -> dict[int, str]:
    """The holder's language of each bill that is not in English, where the program speaks it."""
    spoken = [code for code, _name in settings.LANGUAGES]
    return dict(rows(_LANGUAGES_SQL, [list(bill_ids), spoken]))


def labels() -> dict[str, str]:
    """The fixed words in the language in force; the template puts values in the place of names."""
    return {
        "utility_bill": _("Utility bill"),
        "bill": _("Bill %(number)s"),
        "account": _("Account %(number)s"),
        "due": _("%(total)s due %(day)s"),
        "service": _("Service from %(first)s to %(last)s (%(days)s days)"),
        "at": _("at %(place)s"),
        "billed": _("Billed on %(day)s under %(tariff)s"),
        "what_for": _("What this bill is for"),
        "charge": _("Charge"),
        "reckoned": _("How it is reckoned"),
        "amount": _("Amount"),
        "this_bill": _("This bill"),
        "your_usage": _("Your usage"),
        "how_to_pay": _("How to pay"),
        "pay": _(
            "Bring this page, or the bill number %(number)s, to any payment center. Amounts still "
            "open after the due date may be charged a late penalty."
        ),
        "see": _(
            "To see your account and to pay by card on the public page, type your account number "
            "%(account)s and the code %(code)s. Keep the code to yourself."
        ),
    }


def month_said(day: date) -> str:
    """`Mar 26`, under a bar of the chart."""
    return f"{day:%b %y}" if _is_english() else date_format(day, "M y")


def chart_said(usage: Sequence[tuple[date, int, str]]) -> str:
    """The chart of usage for who cannot see it: bars in one unit name it once."""
    units = {unit for _day, _used, unit in usage}
    if len(units) == 1:
        bars = "; ".join(f"{month_said(day)} {plain(used)}" for day, used, _unit in usage)
        unit = unit_in_words(units.pop())
        return _("Bar chart of usage by bill in %(unit)s: %(bars)s") % {"unit": unit, "bars": bars}
    bars = "; ".join(f"{month_said(day)} {quantity_in_words(n, unit)}" for day, n, unit in usage)
    return _("Bar chart of usage by bill: %(bars)s") % {"bars": bars}


def usage_said(bill: BillRow, how: str, parts: Sequence[PartRow]) -> str:
    """What was used, how it is known, and what each meter counted. how: of an estimate."""
    if bill.usage_thousandths is None or bill.unit is None:
        return _("Not metered")
    quantity = quantity_in_words(bill.usage_thousandths, bill.unit)
    if bill.quality == "estimate":
        used = f"{_('Used %(quantity)s (estimated).') % {'quantity': quantity}} {how}".rstrip()
    else:
        used = _("Used %(quantity)s") % {"quantity": quantity}
    if not parts:
        return used
    return f"{used.rstrip('.')}. {'; '.join(map(_counted, parts))}."


def _counted(part: PartRow) -> str:
    """What one meter counted of a read that several did."""
    named = {
        "meter": part.meter,
        "before": part.register_before,
        "after": part.register_after,
        "quantity": quantity_in_words(abs(part.usage_thousandths), part.unit),
    }
    if part.role == "deduct":
        return _("Meter %(meter)s from %(before)s to %(after)s: %(quantity)s, subtracted") % named
    return _("Meter %(meter)s from %(before)s to %(after)s: %(quantity)s") % named


def previous_said(bill: BillRow) -> str:
    """What was owed or in credit before the bill."""
    before = bill.previous_balance_cents
    if before == 0:
        return _("Nothing was owed from before this bill.")
    left = before + bill.total_cents
    named = {"before": show_cents(abs(before)), "total": show_cents(abs(left))}
    if before > 0:
        return _("From before this bill %(before)s is owed; in all that is %(total)s.") % named
    if left < 0:
        return (
            _("Your credit of %(before)s pays this bill; %(total)s of it is left for the next.")
            % named
        )
    return _("Your credit of %(before)s was used for this bill; %(total)s is left to pay.") % named


def plan_said(instalments: Sequence[BilledInstalment]) -> str:
    """What is due under a payment plan until the next bill; "" for none."""
    if not instalments:
        return ""
    due = "; ".join(
        _("%(amount)s by %(day)s")
        % {"amount": show_cents(each.cents), "day": day_said(each.due_on)}
        for each in instalments
    )
    return _("To be paid under your payment plan %(number)s until the next bill: %(due)s.") % {
        "number": instalments[0].plan_number,
        "due": due,
    }


def label_said(label: str) -> str:
    """The label of a printed line."""
    return label if _is_english() else _(label)


def _is_english() -> bool:
    return (get_language() or ENGLISH).startswith(ENGLISH)
