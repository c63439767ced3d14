"""The meters of a property: what counts there, and how it is put in, read, exchanged, taken out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chamberlain.billing.switching import non_metered_points
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused
from chamberlain.metering import operations, parts, queries
from chamberlain.metering.routes.low_reads import record_typed
from chamberlain.registry import record
from chamberlain.registry.queries import ServicePointRow, service_points
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.meters_forms import (
    BesideForm,
    ExchangeForm,
    InstallForm,
    ReadForm,
    RemoveForm,
    SideForm,
)
from chamberlain.web.pages.registry import ACCOUNTS

_SHOWN_READS = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A service point with its meters. meter: the one that is in now, None without one."""

    point: ServicePointRow
    meters: list[queries.MeterRow]
    sides: list[parts.SideRow]
    waiting: list[parts.PartRow]
    reads: list[tuple[queries.ReadRow, list[parts.PartRow]]]

    @property
    def meter(self) -> queries.MeterRow | None:
        """The meter that is in now."""
        return next((each for each in self.meters if each.until is None), None)

    @property
    def present_sides(self) -> list[parts.SideRow]:
        """Meters that are read together with it now."""
        return [each for each in self.sides if each.until is None]


def _place(point: ServicePointRow) -> Place:
    key = point.service_point_id
    reads = queries.reads(key, _SHOWN_READS)
    found = parts.parts_of_reads([read.read_id for read in reads])
    return Place(
        point,
        queries.meters(key),
        parts.side_meters(key),
        parts.waiting_parts(key),
        [(read, [part for part in found if part.read_id == read.read_id]) for read in reads],
    )


@needs("account.view")
@require_safe
def meters_page(request: OfficeRequest, property_id: int) -> HttpResponse:
    """Every service point of a property with its meters and latest reads."""
    found = record.property_record(property_id)
    actor = actor_of_page(request)
    values = {
        "property": found,
        "places": [_place(point) for point in service_points(property_id)],
        "may_change": actor.may("property.change"),
        "may_switch": actor.may("property.change") and actor.may("bill.rebill"),
        "non_metered": non_metered_points(property_id, timezone.localdate()),
        "may_read": actor.may("read.import"),
        "breadcrumbs": _crumbs(found),
    }
    return render(request, "meters/meters.html", values)


@dataclass(frozen=True, slots=True)
class _Action:
    """A form about a service point. do returns what is said then."""

    title: str
    button: str
    permission: str
    form: type[forms.Form]
    do: Callable[[Actor, Place, Any], str]


def _install(actor: Actor, place: Place, form: InstallForm) -> str:
    given = form.cleaned_data
    operations.install_meter(
        actor, given["serial"], place.point.service_point_id, given["on"], **form.meter()
    )
    return f"Meter {given['serial']} is in."


def _exchange(actor: Actor, place: Place, form: ExchangeForm) -> str:
    given = form.cleaned_data
    operations.exchange_meter(
        actor,
        place.point.service_point_id,
        given["on"],
        last_register=given["last_register"],
        serial=given["serial"],
        beside=form.beside(),
        **form.meter(),
    )
    return (
        f"Meter {given['serial']} is in. What the old one counted since the last read is billed "
        "with the next read."
    )


def _remove(actor: Actor, place: Place, form: RemoveForm) -> str:
    given = form.cleaned_data
    operations.remove_meter(
        actor,
        place.point.service_point_id,
        given["on"],
        given["last_register"],
        beside=form.beside(),
    )
    return "The meter is out, and its last read is on file."


def _read(actor: Actor, place: Place, form: ReadForm) -> str:
    given = form.cleaned_data
    if place.meter is None:
        raise Refused("There is no meter at this service point; install one.")
    typed = (place.meter.serial, given["read_on"], given["register"], timezone.localdate())
    if given["quality"] == "actual" and not form.beside():
        record_typed(actor, *typed)
    else:
        operations.record_read(actor, *typed, given["quality"], beside=form.beside())
    return "The read is on file; the next bill run bills it."


def _add_side(actor: Actor, place: Place, form: SideForm) -> str:
    given = form.cleaned_data
    operations.add_side_meter(
        actor,
        place.point.service_point_id,
        given["serial"],
        given["role"],
        given["on"],
        **form.meter(),
    )
    return f"Meter {given['serial']} is read together with the one that is there from now on."


_CHANGE = "property.change"
_ACTIONS = {
    "install": _Action("Put a meter in", "Put it in", _CHANGE, InstallForm, _install),
    "exchange": _Action("Exchange the meter", "Exchange it", _CHANGE, ExchangeForm, _exchange),
    "remove": _Action("Take the meter out", "Take it out", _CHANGE, RemoveForm, _remove),
    "read": _Action("Type a read", "Keep the read", "read.import", ReadForm, _read),
    "beside": _Action(
        "Read another meter together with it", "Add the meter", _CHANGE, SideForm, _add_side
    ),
}


@needs("account.view")
@require_http_methods(["GET", "HEAD", "POST"])
def change(
    request: OfficeRequest, property_id: int, point_id: int, what: str, side_id: int | None = None
) -> HttpResponse:
    """A form about the meters of a service point, and what it does."""
    place = _place_of(property_id, point_id)
    action = _side_action(place, side_id) if side_id else _ACTIONS.get(what)
    if action is None:
        raise Http404
    actor = actor_of_page(request)
    actor.require(action.permission)
    form = _form(action.form, request, place)
    if request.method == "POST" and form.is_valid():
        try:
            said = action.do(actor, place, form)
        except Refused as refusal:
            if refusal.field == "read_on" and "read_on" not in form.fields:
                refusal.field = "on"
            say_refusal(form, refusal)
        else:
            messages.success(request, said)
            return redirect("meters", property_id)
    found = record.property_record(property_id)
    values = {
        "action": action,
        "place": place,
        "form": form,
        "property": found,
        "back": f"/properties/{property_id}/meters/",
        "breadcrumbs": _crumbs(found, action.title),
    }
    return render(request, "meters/change.html", values, status=422 if form.errors else 200)


def _place_of(property_id: int, point_id: int) -> Place:
    for point in service_points(property_id):
        if point.service_point_id == point_id:
            return _place(point)
    raise Http404


def _form(kind: type[forms.Form], request: OfficeRequest, place: Place) -> forms.Form:
    today = timezone.localdate()
    first: dict[str, Any] = {"on": today, "read_on": today}
    if place.meter is not None:
        first |= {
            "size": place.meter.size, "unit": place.meter.unit, "dials": place.meter.dials
        }  # fmt: skip
    given = request.POST or None
    if issubclass(kind, BesideForm):
        return kind(given, initial=first, sides=place.present_sides)
    return kind(given, initial=first)


def _side_action(place: Place, side_id: int) -> _Action | None:
    side = next((each for each in place.present_sides if each.side_meter_id == side_id), None)
    if side is None:
        return None

    def do(actor: Actor, _place: Place, form: RemoveForm) -> str:
        given = form.cleaned_data
        operations.remove_side_meter(actor, side_id, given["on"], given["last_register"])
        return f"Meter {side.serial} is out; what it counted is part of the next read."

    return _Action(f"Take meter {side.serial} out", "Take it out", _CHANGE, SideRemoveForm, do)


class SideRemoveForm(forms.Form):
    """A low-flow register or deduct meter out."""

    on = RemoveForm.base_fields["on"]
    last_register = RemoveForm.base_fields["last_register"]


def _crumbs(found: record.PropertyRecord, last: str = "") -> list[dict[str, str]]:
    base = f"/properties/{found.property_id}/"
    crumbs = [ACCOUNTS, {"label": found.address, "url": base}]
    if not last:
        return [*crumbs, {"label": "Meters"}]
    return [*crumbs, {"label": "Meters", "url": f"{base}meters/"}, {"label": last}]


urlpatterns = [
    path("properties/<int:property_id>/meters/", meters_page, name="meters"),
    path(
        "properties/<int:property_id>/meters/<int:point_id>/beside/<int:side_id>/remove/",
        change,
        {"what": "remove"},
        name="remove_side_meter",
    ),
    path(
        "properties/<int:property_id>/meters/<int:point_id>/<slug:what>/",
        change,
        name="change_meter",
    ),
]
