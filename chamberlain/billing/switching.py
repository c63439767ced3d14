"""A service without a meter gets one in the middle of a season.

The agreement without a meter ends on the day that the meter is put in, and one with it begins.
Where the season was billed ahead, its bill is worked out again (see `rebilling`): the days until
the switch stay, those from it on are credited and billed by the meter's reads from then on.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.property_terms.queries import Billing, disagreements_of
from chamberlain.billing.rebilling import operations as rebilling
from chamberlain.billing.rebilling import queries as rebills
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.billing.rebilling.operations import Changed, NewRebill, NothingToRebill
from chamberlain.billing.rebilling.queries import BillChange
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.posting import lock_balances
from chamberlain.metering import operations as metering
from chamberlain.metering import queries as meters
from chamberlain.tariffs.models import Tariff


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter that is put in; see `metering.operations.install_meter`."""

    serial: str
    size: str
    unit: str
    dials: int = 6
    register: int = 0


@dataclass(frozen=True, slots=True)
class Switch:
    """What is asked for. on: the first metered day. tariff_code, rate_class: "" as the type of
    the property says. reason_code: of the city's reasons of rebilling."""

    service_point_id: int
    on: date
    meter: NewMeter
    reason_code: str
    tariff_code: str = ""
    rate_class: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a switch does. bills: old against new, empty where no season was billed ahead.

    rebill_id, rebill_status: None and "" without such a bill. seen: what `switch_to_metered`
    takes to do only what was shown.
    """

    account_number: str
    on: date
    tariff: str
    rate_class: str
    cycle_months: int
    rebill_id: int | None
    rebill_status: str
    needs_approval: bool
    bills: tuple[BillChange, ...] = field(default=())
    seen: str = ""

    @property
    def old_cents(self) -> int:
        """What the season was billed at."""
        return sum(bill.old_cents or 0 for bill in self.bills)

    @property
    def new_cents(self) -> int:
        """What it comes to up to the day of the switch."""
        return sum(bill.new_cents or 0 for bill in self.bills)

    @property
    def difference_cents(self) -> int:
        """New less old: below zero is credited."""
        return self.new_cents - self.old_cents


def non_metered_accounts(service_point_id: int, on: date) -> list[str]:
    """Numbers of the accounts that a service point is billed to without a meter on a day."""
    query = """
        SELECT DISTINCT a.number FROM billing_serviceagreement g
        JOIN ledger_account a ON a.id = g.account_id
        WHERE g.service_point_id = %s AND NOT g.is_metered AND g.period @> %s::date ORDER BY 1
    """
    return [row[0] for row in rows(query, [service_point_id, on])]


def non_metered_points(property_id: int, on: date) -> set[int]:
    """Service points of a property that are billed on a day, and none of it by a meter."""
    query = """
        SELECT g.service_point_id FROM billing_serviceagreement g
        JOIN registry_servicepoint s ON s.id = g.service_point_id
        WHERE s.property_id = %(property)s AND g.period @> %(on)s::date
        GROUP BY g.service_point_id HAVING NOT bool_or(g.is_metered)
    """
    return {row[0] for row in rows(query, {"property": property_id, "on": on})}


def show_switch(actor: Actor, asked: Switch, today: date, now: datetime) -> Outcome:
    """What a switch would do. Nothing is kept. Raises what `switch_to_metered` raises."""
    _require(actor)
    with transaction.atomic():
        outcome = _switch(actor, asked, today, now, f"shown {asked.service_point_id} {now}")
        transaction.set_rollback(True)
    return outcome


def switch_to_metered(
    actor: Actor,
    asked: Switch,
    business_day_id: int | None,
    today: date,
    now: datetime,
    idempotency_key: str,
    seen: str = "",
) -> Outcome:
    """Puts the meter in, begins the metered agreement, and has the season billed ahead rebilled.

    The rebill is posted at once where its rules let one person do so; else it waits for a second
    one. business_day_id: None without an open day, which only a switch with a bill needs.
    Raises AlreadyDone (metered), Invalid (future day, tariff), NotFound, Refused (not within the
    agreement, read later, another day of change), Changed (not what `seen` showed), and what
    `install_meter`, `draft_rebill` and `post_rebill` raise.
    """
    _require(actor)
    with transaction.atomic():
        if done := Rebill.objects.filter(idempotency_key=idempotency_key).first():
            actor.require_own(done.asked_by_id)
            return _as_done(asked, done.pk)
        outcome = _switch(actor, asked, today, now, idempotency_key)
        if seen and outcome.seen != seen:
            raise Changed(
                f"The account changed since you looked: the season would change by "
                f"{show_cents(outcome.difference_cents)} now. Look at it again."
            )
        if outcome.rebill_id is None:
            return outcome
        if outcome.needs_approval:
            rebilling.ask_for_approval(actor, outcome.rebill_id)
        elif business_day_id is None:
            raise Refused(
                "The revenue office has no open day; the season's bill is set right on one."
            )
        else:
            rebilling.post_rebill(actor, outcome.rebill_id, business_day_id, today, now)
        return _as_done(asked, outcome.rebill_id)


def _require(actor: Actor) -> None:
    actor.require("property.change")
    actor.require("bill.rebill")


def _switch(actor: Actor, asked: Switch, today: date, now: datetime, key: str) -> Outcome:
    if asked.on > today:
        raise Invalid(f"{asked.on:%B %-d, %Y} has not come yet; correct the date.", field="on")
    with acting(actor):
        present = _agreement_to_end(asked)
        lock_balances([present.account_id])
        _refuse_read_later(asked)
        _put_in(actor, asked)
        metered = _agree(asked, present)
    return _outcome(asked, metered, _draft(actor, asked, metered, today, now, key[:64]))


def _agreement_to_end(asked: Switch) -> ServiceAgreement:
    """The agreement without a meter in force on the day, locked."""
    found = list(
        ServiceAgreement.objects.select_for_update(of=("self",))
        .filter(service_point_id=asked.service_point_id)
        .exclude(period__isempty=True)
        .order_by("period", "pk")
    )
    in_force = [each for each in found if _holds(each, asked.on)]
    said = f"{asked.on:%B %-d, %Y}"
    if any(each.is_metered for each in in_force):
        raise AlreadyDone(f"This service is billed by a meter on {said} already.", field="on")
    if not in_force:
        raise Refused(
            f"Nobody is billed for this service on {said}; give a day within an agreement, or "
            "move somebody in first.",
            field="on",
        )
    if len(in_force) > 1:
        raise Refused(
            f"{len(in_force)} tariffs bill this service without a meter on {said}; end those that "
            "the meter takes no part in first.",
            field="on",
        )
    later = [each.period.lower for each in found if (each.period.lower or date.min) > asked.on]
    if later:
        raise Refused(
            f"The agreement of this service changes on {min(later):%B %-d, %Y}; give that day or "
            "a later one.",
            field="on",
        )
    return in_force[0]


def _holds(agreement: ServiceAgreement, day: date) -> bool:
    start, end = agreement.period.lower, agreement.period.upper
    return (start is None or start <= day) and (end is None or day < end)


def _refuse_read_later(asked: Switch) -> None:
    last = meters.reads(asked.service_point_id, 1)
    if last and last[0].to_on > asked.on:
        raise Refused(
            f"This service was read on {last[0].to_on:%B %-d, %Y}; give that day or a later one.",
            field="on",
        )


def _put_in(actor: Actor, asked: Switch) -> None:
    """Installs the meter, unless the one named was put in on that day before."""
    meter = asked.meter
    is_in = any(
        row.serial == meter.serial and row.since == asked.on and row.until is None
        for row in meters.meters(asked.service_point_id)
    )
    if not is_in:
        metering.install_meter(
            actor, meter.serial, asked.service_point_id, asked.on, size=meter.size,
            unit=meter.unit, dials=meter.dials, register=meter.register,
        )  # fmt: skip


def _agree(asked: Switch, present: ServiceAgreement) -> ServiceAgreement:
    """Ends the agreement without a meter and begins the one with it."""
    start, end = present.period.lower, present.period.upper
    tariff_id = _tariff_id(asked.tariff_code) if asked.tariff_code else present.tariff_id
    keeps_days = start is None or start < asked.on
    present.period = DateRange(start, asked.on) if keeps_days else DateRange(empty=True)
    present.save(update_fields=["period"])
    metered = ServiceAgreement.objects.create(
        account_id=present.account_id,
        service_point_id=present.service_point_id,
        tariff_id=tariff_id,
        rate_class=asked.rate_class or present.rate_class,
        is_metered=True,
        meter_size=asked.meter.size,
        dwelling_units=present.dwelling_units,
        exemptions=present.exemptions,
        attributes=present.attributes,
        period=DateRange(asked.on, end),
    )
    right = _right_terms(metered, asked.on)
    if right is None and not asked.tariff_code:
        raise Invalid(
            "The city has no terms for meters at this type of property; choose the tariff.",
            field="tariff",
        )
    if right is not None:
        if not asked.tariff_code:
            metered.tariff_id = _tariff_id(right.tariff)
        if not asked.rate_class:
            metered.rate_class = right.rate_class
        metered.cycle_months = right.cycle_months
        metered.save(update_fields=["tariff_id", "rate_class", "cycle_months"])
    return metered


def _right_terms(metered: ServiceAgreement, on: date) -> Billing | None:
    """What the type of the property says of the agreement, if it says otherwise."""
    found = disagreements_of(metered.account_id, metered.service_point.property_id, on)
    return next((each.right for each in found if each.agreement_id == metered.pk), None)


def _tariff_id(code: str) -> int:
    found = Tariff.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"There is no tariff {code[:40]}; choose one of the list.", field="tariff")
    return int(found)


def _draft(
    actor: Actor, asked: Switch, metered: ServiceAgreement, today: date, now: datetime, key: str
) -> int | None:
    """The rebill of what was billed ahead; None when nothing was."""
    new = NewRebill(
        metered.account.number,
        min(asked.on, today - timedelta(days=1)),
        None,
        asked.reason_code,
        f"Meter {asked.meter.serial} was put in on {asked.on:%B %-d, %Y}",
        Corrections(),
    )
    try:
        return rebilling.draft_rebill(actor, new, today, now, key)
    except NothingToRebill:
        return None


def _as_done(asked: Switch, rebill_id: int) -> Outcome:
    metered = ServiceAgreement.objects.filter(
        service_point_id=asked.service_point_id,
        is_metered=True,
        period__contains=asked.on,
        account__rebills=rebill_id,
    ).first()
    if metered is None:
        raise AlreadyDone(
            "This was sent before for another switch; begin again at the meters of the property."
        )
    return _outcome(asked, metered, rebill_id)


def _outcome(asked: Switch, metered: ServiceAgreement, rebill_id: int | None) -> Outcome:
    said = (
        metered.account.number,
        asked.on,
        Tariff.objects.get(pk=metered.tariff_id).name,
        metered.rate_class,
        metered.cycle_months,
    )
    if rebill_id is None:
        return Outcome(*said, None, "", needs_approval=False, seen="none")
    view = rebills.rebill(rebill_id)
    seen = Rebill.objects.values_list("seen", flat=True).get(pk=rebill_id)
    return Outcome(
        *said, rebill_id, view.row.status, view.row.needs_approval, view.bills, str(seen)
    )
