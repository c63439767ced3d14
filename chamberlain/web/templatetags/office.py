"""How the pages write money, dates, quantities and form controls."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.forms.widgets import (
    CheckboxInput,
    CheckboxSelectMultiple,
    FileInput,
    RadioSelect,
    Select,
    Textarea,
)
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_info, pgettext
from django.utils.translation import gettext as _

from chamberlain.billing.explanation import quantity_in_words
from chamberlain.casework.timeline import Event
from chamberlain.kernel.money import show_cents
from chamberlain.tariffs.units import UNIT_NAMES

register = template.Library()

_ADDRESS = re.compile(r"https?://[^\s,;)]+")
MINUS = "\N{MINUS SIGN}"
NOTHING = format_html(
    '<span class="nothing"><span aria-hidden="true">{}</span>'
    '<span class="usa-sr-only">none</span></span>',
    "\N{EM DASH}",
)


def _whole(value: object) -> int:
    """The value as a whole number; a float never holds money, so it is refused loudly."""
    if isinstance(value, bool | float):
        raise TypeError(f"{value!r} is no whole number of cents")
    return operator.index(value)  # type: ignore[arg-type]


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


@register.filter
def money_text(cents: object) -> str:
    """Whole cents as plain text for titles and attributes: `$1,234.56`, `−$5.00`, or empty."""
    if _is_missing(cents):
        return ""
    whole = _whole(cents)
    return (MINUS if whole < 0 else "") + show_cents(abs(whole))


@register.filter
def money(cents: object, form: str = "") -> SafeString:
    """Whole cents for the eye and for the ear.

    form: "" writes a minus sign; "signed" also writes a plus (over and short); "change" writes
    both signs and is never red, since less to pay is no fault;
    "credit" writes a negative amount as `$5.00 credit` (what a customer has in hand);
    "open" leaves out the class that turns negative amounts red.
    Returns a dash for None or an empty value.
    Raises TypeError when the value is not a whole number.
    """
    if _is_missing(cents):
        return NOTHING
    whole = _whole(cents)
    amount = show_cents(abs(whole))
    if whole < 0 and form == "credit":
        return format_html('<span class="money money--credit">{} credit</span>', amount)
    if whole < 0:
        return format_html(
            '<span class="money{}"><span aria-hidden="true">{}{}</span>'
            '<span class="usa-sr-only">{} {}</span></span>',
            "" if form in ("open", "change") else " money--negative",
            MINUS,
            amount,
            _("minus"),
            amount,
        )
    if whole > 0 and form in ("signed", "change"):
        return format_html(
            '<span class="money"><span aria-hidden="true">+{}</span>'
            '<span class="usa-sr-only">{} {}</span></span>',
            amount,
            _("plus"),
            amount,
        )
    return format_html('<span class="money">{}</span>', amount)


def _as_moment(value: object) -> dt.date | dt.datetime:
    if isinstance(value, str):
        text = value.strip()
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    if isinstance(value, dt.date):
        return value
    raise TypeError(f"{value!r} is no date")


def _local(value: dt.date | dt.datetime) -> dt.date | dt.datetime:
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


def _day_text(value: dt.date) -> str:
    if not (get_language() or "en").startswith("en"):
        return date_format(value, pgettext("short day", "M j, Y"))
    return f"{value:%b} {value.day}, {value.year}"


@register.filter
def day(value: object) -> SafeString:
    """A date, datetime or ISO text as `Mar 1, 2016` in a time element; a dash for none."""
    if _is_missing(value):
        return NOTHING
    moment_ = _local(_as_moment(value))
    date = moment_.date() if isinstance(moment_, dt.datetime) else moment_
    return format_html('<time datetime="{}">{}</time>', date.isoformat(), _day_text(date))


@register.filter
def moment(value: object) -> SafeString:
    """An instant in the city's time zone as `Mar 1, 2016, 2:05 PM`; a dash for none."""
    if _is_missing(value):
        return NOTHING
    instant = _local(_as_moment(value))
    if not isinstance(instant, dt.datetime):
        return day(instant)
    clock = f"{instant.hour % 12 or 12}:{instant:%M %p}"
    return format_html(
        '<time datetime="{}">{}, {}</time>',
        instant.isoformat(timespec="seconds"),
        _day_text(instant),
        clock,
    )


@register.filter
def quantity(value: object, unit: str = "") -> SafeString:
    """A whole or decimal number with thousands separators, and its unit if one is given."""
    if _is_missing(value):
        return NOTHING
    number = f"{value:,}"
    if not unit:
        return format_html('<span class="quantity">{}</span>', number)
    return format_html('<span class="quantity">{} <small>{}</small></span>', number, unit)


@register.filter
def words(code: object) -> str:
    """A code of the program as words: `reverse_bill` as `Reverse bill`."""
    text = str(code).replace("_", " ")
    return text[:1].upper() + text[1:]


_PAGES = {
    "bill": "bill",
    "entry": "entry",
    "finding": "usage_entry",
    "letter": "letter",
    "application": "certificate_application",
    "plan": "plan",
}


@register.filter
def page(event: Event) -> str:
    """The address of what an event of the timeline is about; "" for nothing of its own."""
    return reverse(_PAGES[event.about], args=[event.key]) if event.about else ""


@register.filter
def phone(digits: str) -> str:
    """Ten digits as `312-555-0142`; anything else, such as a masked number, as it is."""
    bare = re.sub(r"[\s().-]", "", digits)
    if len(bare) == 10 and bare.isdecimal():
        return f"{bare[:3]}-{bare[3:6]}-{bare[6:]}"
    return digits


@register.filter
def usage(thousandths: object, unit: object) -> SafeString:
    """Usage in whole thousandths of a unit, in full: `12.5 hundred cubic feet`; a dash for none.

    A line that is a share of others counts dollars: `$44.50`.
    """
    if _is_missing(thousandths) or _is_missing(unit):
        return NOTHING
    whole = _whole(thousandths)
    if unit == "dollar" and whole % 10 == 0:
        return money(whole // 10)
    return format_html('<span class="quantity">{}</span>', quantity_in_words(whole, str(unit)))


@register.filter
def unit_name(code: object) -> str:
    """A unit of volume in full: `ccf` as `hundred cubic feet`; any other code as words."""
    return _(UNIT_NAMES.get(str(code), str(code).replace("_", " ")))


@register.filter
def language_name(code: str) -> str:
    """A language's name: `es` as `Spanish`; a code that is not known as it is."""
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code


@register.filter
def units(thousandths: object) -> SafeString:
    """Whole thousandths as a number of units, for columns whose head names the unit."""
    if _is_missing(thousandths):
        return NOTHING
    number = Decimal(_whole(thousandths)).scaleb(-3).normalize()
    return format_html('<span class="quantity">{}</span>', f"{number:,f}".replace("-", MINUS))


@register.filter
def source(text: str) -> SafeString:
    """Where a figure is written; an address in it becomes a link that shows only its site."""
    found = _ADDRESS.search(text)
    if not found:
        return format_html("{}", text)
    before, address, after = text[: found.start()], found.group(0), text[found.end() :]
    site = urlsplit(address).hostname or address
    link = format_html(
        '<a href="{}" rel="noreferrer" title="{}">{}</a>',
        address,
        address,
        site.removeprefix("www."),
    )
    return format_html("{}{}{}", before, link, after)


@register.filter
def last_day(first_day_after: dt.date | None) -> dt.date | None:
    """The last day of a range that is written with the first day after it."""
    return first_day_after - dt.timedelta(days=1) if first_day_after else None


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A sign from the design system's sprite; without a label it is hidden from the ear."""
    href = f"{static('vendor/uswds/img/sprite.svg')}#{name}"
    if not label:
        return format_html(
            '<svg class="usa-icon" aria-hidden="true"><use href="{}"></use></svg>',
            href,
        )
    return format_html(
        '<svg class="usa-icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href
    )


@register.filter
def control_kind(field: BoundField) -> str:
    """Which markup a field needs: `check`, `choices`, `hidden` or `plain`."""
    if field.is_hidden:
        return "hidden"
    widget = field.field.widget
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    return "check" if isinstance(widget, CheckboxInput) else "plain"


_CONTROL_CLASSES: tuple[tuple[type, str], ...] = (
    (CheckboxInput, "usa-checkbox__input"),
    (Textarea, "usa-textarea"),
    (FileInput, "usa-file"),
    (Select, "usa-select"),
)


@register.simple_tag
def control(field: BoundField, extra: str = "") -> SafeString:
    """A form field's control with its class and with hint and error tied to it by id.

    extra: more classes, for example `input-money`.
    """
    widget = field.field.widget
    name = next((css for kind, css in _CONTROL_CLASSES if isinstance(widget, kind)), "usa-input")
    classes = [widget.attrs.get("class", ""), name, extra]
    attrs: dict[str, Any] = {}
    described = []
    if field.help_text:
        described.append(f"{field.auto_id}_hint")
    if field.errors:
        classes.append("usa-input--error")
        described.append(f"{field.auto_id}_problem")
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    attrs["class"] = " ".join(part for part in classes if part)
    return field.as_widget(attrs=attrs)


@register.filter
def elided_pages(page: Page[Any]) -> Iterator[int | str]:
    """Page numbers around the current one, with an ellipsis for those left out."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)


@register.filter
def is_gap(number: int | str) -> bool:
    """Whether an entry of `elided_pages` stands for pages left out."""
    return not isinstance(number, int)


@register.filter
def share(part: object, whole: object) -> int:
    """How many percent of the whole are done, 0 to 100, rounded down; 0 of nothing is 0."""
    total = _whole(whole or 0)
    return max(0, min(100, _whole(part or 0) * 100 // total)) if total > 0 else 0
