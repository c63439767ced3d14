"""What is done to meters: install, exchange, remove, read by hand, settle the worklist."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.metering import recording
from chamberlain.metering.models import (
    Installation,
    Meter,
    Read,
    ReadException,
    ReadPart,
    Role,
    SideMeter,
    Unit,
)
from chamberlain.metering.recording import THOUSAND, ImplausibleRead, wait_for_imports
from chamberlain.registry.models import ServicePoint

__all__ = ["THOUSAND", "ImplausibleRead", "wait_for_imports"]

_SERIAL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{1,31}$")


def install_meter(
    actor: Actor,
    serial: str,
    service_point_id: int,
    on: date,
    *,
    size: str,
    unit: str,
    dials: int = 6,
    register: int = 0,
) -> int:
    """Puts a meter in at a service point; returns the installation's id.

    A serial that is not on file yet is a new meter. register: what the dials show. Raises
    Invalid (dials, unit, serial, register), NotFound, AlreadyDone when the meter is somewhere
    or another is at the service point.
    """
    actor.require("property.change")
    _check_meter(serial, unit, dials, register)
    with acting(actor), transaction.atomic():
        if not ServicePoint.objects.select_for_update().filter(pk=service_point_id).exists():
            raise NotFound("There is no such service point; add it to the property first.")
        meter, _ = Meter.objects.get_or_create(
            serial=serial, defaults={"size": size, "dials": dials, "unit": unit}
        )
        if SideMeter.objects.filter(
            meter=meter, role=Role.LOW_FLOW, period__overlap=DateRange(on, None)
        ).exists():
            raise AlreadyDone(
                f"Meter {serial} is the low flow of a compound meter; take it out there first.",
                field="serial",
            )
        overlapping = Installation.objects.filter(period__overlap=DateRange(on, None))
        if overlapping.filter(meter=meter).exists():
            raise AlreadyDone(
                f"Meter {serial} is installed on or after {on:%B %-d, %Y} already; remove it "
                "there first.",
                field="serial",
            )
        if overlapping.filter(service_point_id=service_point_id).exists():
            raise AlreadyDone("Another meter is at this service point; exchange it instead.")
        return Installation.objects.create(
            meter=meter,
            service_point_id=service_point_id,
            period=DateRange(on, None),
            register_at_start=register,
        ).pk


def exchange_meter(
    actor: Actor,
    service_point_id: int,
    on: date,
    *,
    last_register: int,
    serial: str,
    size: str,
    unit: str,
    dials: int = 6,
    register: int = 0,
    beside: Mapping[str, int] | None = None,
) -> int:
    """Takes the meter at a service point out and puts another one in, on one day.

    What the old one counted since the last read waits for the next read and is part of it, so
    that the period stays one bill. When the last read was estimated, or the new meter counts in
    another unit, the period ends with the exchange instead: beside, what the meters show that are
    read together with it, is needed then. Returns the new installation's id. Raises what
    `record_read` and `install_meter` raise.
    """
    actor.require("property.change")
    with acting(actor), transaction.atomic():
        wait_for_imports()
        present = _installation_at(service_point_id)
        if _ends_the_period(present, unit):
            source = f"exchange {present.pk}"
            actual = Read.Quality.ACTUAL
            recording.record(
                present, on, last_register, actual, source, beside or {}, field="last_register"
            )
        else:
            counted = recording.counted(present, on, last_register, "last_register")
            counted.part(service_point_id).save()
        _remove(present, on)
        return install_meter(
            actor, serial, service_point_id, on, size=size, unit=unit, dials=dials,
            register=register,
        )  # fmt: skip


def _ends_the_period(present: Installation, unit: str) -> bool:
    """An estimate is trued up by an actual read of its own meter, and units do not add up."""
    last = recording.last_read(present)
    is_estimated = last is not None and last.quality == Read.Quality.ESTIMATE
    return is_estimated or unit != present.meter.unit


def remove_meter(
    actor: Actor,
    service_point_id: int,
    on: date,
    last_register: int,
    *,
    beside: Mapping[str, int] | None = None,
) -> None:
    """Reads the meter at a service point for the last time and takes it out.

    beside: what the meters show that are read together with it; they end with it. Raises what
    `record_read` raises.
    """
    actor.require("property.change")
    with acting(actor), transaction.atomic():
        present = _installation_at(service_point_id)
        source = f"removal {present.pk}"
        actual = Read.Quality.ACTUAL
        recording.record(
            present, on, last_register, actual, source, beside or {}, field="last_register"
        )
        _remove(present, on)
        for side in recording.side_meters(service_point_id):
            _end_side(side, on)


def add_side_meter(
    actor: Actor,
    service_point_id: int,
    serial: str,
    role: str,
    on: date,
    *,
    size: str,
    unit: str,
    dials: int = 6,
    register: int = 0,
) -> int:
    """Has a meter read together with the one at a service point: the low flow of a compound meter
    or a deduct meter. Returns its id.

    A deduct meter may be installed at a service point of its own. Raises Invalid (serial, role,
    unit, dials, register), NotFound (no meter there), AlreadyDone (it stands elsewhere),
    ImplausibleRead (the service was read after that day).
    """
    actor.require("property.change")
    _check_meter(serial, unit, dials, register)
    if role not in (Role.LOW_FLOW, Role.DEDUCT):
        raise Invalid("Choose the low flow of a compound meter or a deduct meter.", field="role")
    with acting(actor), transaction.atomic():
        wait_for_imports()
        present = _installation_at(service_point_id)
        meter, _ = Meter.objects.get_or_create(
            serial=serial, defaults={"size": size, "dials": dials, "unit": unit}
        )
        if present.meter.unit != meter.unit:
            raise Invalid(
                f"Meter {present.meter.serial} counts in {present.meter.unit} and {serial} in "
                f"{meter.unit}; only the same unit adds up.",
                field="unit",
            )
        _refuse_placed(meter, role, on, service_point_id)
        last = recording.last_read(present)
        since = last.to_on if last else present.period.lower
        if on < since:
            raise ImplausibleRead(
                f"Meter {present.meter.serial} was read or put in on {since:%B %-d, %Y}; give "
                "that day or a later one.",
                field="on",
            )
        return SideMeter.objects.create(
            service_point_id=service_point_id,
            meter=meter,
            role=role,
            period=DateRange(on, None),
            register_at_start=register,
        ).pk


def _refuse_placed(meter: Meter, role: str, on: date, service_point_id: int) -> None:
    days = DateRange(on, None)
    installed = Installation.objects.filter(meter=meter, period__overlap=days)
    if role == Role.DEDUCT:
        installed = installed.filter(service_point_id=service_point_id)
    beside = SideMeter.objects.filter(meter=meter, period__overlap=days)
    if installed.exists() or beside.exists():
        raise AlreadyDone(
            f"Meter {meter.serial} is installed on or after {on:%B %-d, %Y} already; remove it "
            "there first.",
            field="serial",
        )


def remove_side_meter(actor: Actor, side_meter_id: int, on: date, last_register: int) -> None:
    """Reads a low-flow register or deduct meter for the last time; what it counted since the last
    read is part of the next one. Raises NotFound and what `record_read` raises."""
    actor.require("property.change")
    with acting(actor), transaction.atomic():
        wait_for_imports()
        point = SideMeter.objects.filter(pk=side_meter_id).values("service_point_id")
        # Whoever reads the service holds its meter; what they count of this one is waited for.
        held = Installation.objects.select_for_update().filter(service_point_id__in=point)
        list(held.order_by("pk"))
        side = (
            SideMeter.objects.select_for_update(of=("self",))
            .select_related("meter")
            .filter(pk=side_meter_id, period__endswith=None)
            .first()
        )
        if side is None:
            raise NotFound("This meter is not read together with another any more; look again.")
        if on <= side.period.lower:
            raise ImplausibleRead(
                f"Meter {side.meter.serial} was put in on {side.period.lower:%B %-d, %Y}; give a "
                "later day.",
                field="on",
            )
        recording.counted_beside(side, on, last_register).part(side.service_point_id).save()
        _end_side(side, on)


def record_read(
    actor: Actor,
    serial: str,
    on: date,
    register: int,
    today: date,
    quality: str = Read.Quality.ACTUAL,
    beside: Mapping[str, int] | None = None,
) -> int:
    """Records what a meter shows on a day; returns the read's id.

    Usage is counted from the read before, over a rollover of the dials if that is plausible
    (see `dials`), together with what a meter counted that was exchanged since (see `recording`).
    beside: what the meters show that are read together with it, by serial. Raises NotFound (meter
    not installed that day), ImplausibleRead (lower than before without a rollover, not after the
    last read, less than a deduct meter), Invalid (register, quality, future, beside).
    """
    actor.require("read.import")
    if quality not in Read.Quality.values:
        raise Invalid(f"“{quality}” is no quality of a read; use actual, estimate or customer.")
    if on > today:
        raise Invalid(f"{on:%B %-d, %Y} has not come yet; correct the date.", field="read_on")
    with acting(actor), transaction.atomic():
        present = (
            Installation.objects.select_for_update(of=("self",))
            .select_related("meter")
            .filter(meter__serial=serial, period__startswith__lt=on)
            .order_by("-period")
            .first()
        )
        if present is None or (present.period.upper is not None and present.period.upper < on):
            raise NotFound(
                f"Meter {serial[:32]} is not installed anywhere on {on:%B %-d, %Y}; check the "
                "serial number.",
                field="serial",
            )
        source = f"typed {serial} {on}"
        return recording.record(present, on, register, quality, source, beside or {})


def record_estimate(
    actor: Actor,
    service_point_id: int,
    from_on: date,
    on: date,
    usage_thousandths: int,
    unit: str,
    source: str,
) -> int:
    """Records usage that nobody has read, from the last read up to a day; returns the read's id.

    Where a meter is installed, its register counts on by the whole units of the usage, so that
    the next read of it is for what was used after the estimate. What a meter counted that was
    exchanged since the last read is part of the estimate. source: what the estimate was made for,
    once only. Raises ImplausibleRead when the service was read after from_on or less is estimated
    than an exchanged meter counted, Invalid for a usage below zero, Refused where meters are read
    together.
    """
    actor.require("read.import")
    if usage_thousandths < 0:
        raise Invalid("An estimate is zero or more; correct it.", field="usage")
    with acting(actor), transaction.atomic():
        wait_for_imports(alone=True)
        reads = Read.objects.filter(service_point_id=service_point_id)
        later = reads.filter(to_on__gt=from_on).order_by("-to_on").first()
        if later is not None:
            raise ImplausibleRead(
                f"The service was read on {later.to_on:%B %-d, %Y} in the meantime; look again."
            )
        installed = (
            Installation.objects.select_related("meter")
            .filter(service_point_id=service_point_id, period__contains=from_on)
            .order_by("-period")
            .first()
        )
        waiting = _waiting_for_estimate(service_point_id, on, usage_thousandths)
        if waiting:
            installed = _installation_at(service_point_id)
        register, start, rest = None, 0, usage_thousandths
        if installed is not None:
            rest -= sum(part.signed_thousandths for part in waiting)
            last = reads.filter(meter=installed.meter, register__isnull=False).order_by("-to_on")
            before = last.values_list("register", flat=True).first()
            start = installed.register_at_start if before is None else before
            register = (start + rest // THOUSAND) % 10**installed.meter.dials
        read = Read.objects.create(
            service_point_id=service_point_id,
            meter=installed.meter if installed else None,
            from_on=from_on,
            to_on=on,
            register=register,
            usage_thousandths=usage_thousandths,
            unit=unit,
            quality=Read.Quality.ESTIMATE,
            source=source,
        )
        if waiting and installed is not None and register is not None:
            estimated = ReadPart(
                service_point_id=service_point_id,
                meter=installed.meter,
                role=Role.MAIN,
                from_on=installed.period.lower,
                to_on=on,
                register_before=start,
                register_after=register,
                usage_thousandths=rest,
            )
            recording.keep_parts(read, [*waiting, estimated])
        return read.pk


def _waiting_for_estimate(
    service_point_id: int, on: date, usage_thousandths: int
) -> list[ReadPart]:
    if sides := recording.side_meters(service_point_id):
        raise Refused(
            f"Meter {sides[0].meter.serial} is read together with another here, which nobody can "
            "estimate; get both read."
        )
    waiting = recording.waiting_parts(service_point_id)
    if not waiting:
        return []
    last = waiting[-1]
    if last.to_on > on:
        raise ImplausibleRead(
            f"Meter {last.meter.serial} was exchanged on {last.to_on:%B %-d, %Y}; estimate up to "
            "that day or a later one."
        )
    known = sum(part.signed_thousandths for part in waiting)
    if usage_thousandths < known:
        raise ImplausibleRead(
            f"Meter {last.meter.serial} counted {known // THOUSAND} until it was exchanged on "
            f"{last.to_on:%B %-d, %Y}; estimate no less.",
            field="usage",
        )
    return waiting


def resolve_exception(actor: Actor, exception_id: int, resolution: str, now: datetime) -> None:
    """Takes an item off the metering worklist, saying what was done about it."""
    actor.require("read.import")
    if not resolution.strip():
        raise Invalid("Say what was done about it.", field="resolution")
    with acting(actor), transaction.atomic():
        found = ReadException.objects.select_for_update().filter(pk=exception_id).first()
        if found is None:
            raise NotFound("There is no such item on the worklist.")
        if found.resolved_at:
            raise AlreadyDone("This item was resolved already.")
        found.resolved_at, found.resolved_by_id = now, actor.user_id
        found.resolution = resolution.strip()[:200]
        found.save(update_fields=["resolved_at", "resolved_by", "resolution"])


def _check_meter(serial: str, unit: str, dials: int, register: int) -> None:
    if not _SERIAL.match(serial):
        raise Invalid("A serial number has 2 to 32 letters, digits and hyphens.", field="serial")
    if unit not in Unit.values:
        raise Invalid(f"“{unit}” is no unit; use one of {', '.join(Unit.values)}.", field="unit")
    if not 3 <= dials <= 9:
        raise Invalid("A meter has three to nine dials; count them.", field="dials")
    if not 0 <= register < 10**dials:
        raise Invalid(f"{dials} dials cannot show {register}; read it again.", field="register")


def _installation_at(service_point_id: int) -> Installation:
    found = (
        Installation.objects.select_for_update(of=("self",))
        .select_related("meter")
        .filter(service_point_id=service_point_id, period__endswith=None)
        .first()
    )
    if found is None:
        raise NotFound("There is no meter at this service point; install one.")
    return found


def _remove(installation: Installation, on: date) -> None:
    installation.period = DateRange(installation.period.lower, on)
    installation.save(update_fields=["period"])


def _end_side(side: SideMeter, on: date) -> None:
    side.period = DateRange(side.period.lower, on)
    side.save(update_fields=["period"])
