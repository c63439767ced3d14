"""What is done to meters: install, exchange, remove, read by hand, settle the worklist."""

import re
from datetime import date, datetime

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.metering.dials import usage_of
from chamberlain.metering.models import Installation, Meter, Read, ReadException, Unit
from chamberlain.registry.models import ServicePoint

THOUSAND = 1000
_SERIAL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{1,31}$")


class ImplausibleRead(Refused):
    """A read that cannot follow the one before it."""


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
) -> int:
    """Reads the meter at a service point for the last time and puts another one in, on one day.

    Returns the new installation's id. Raises what `record_read` and `install_meter` raise.
    """
    actor.require("property.change")
    with acting(actor), transaction.atomic():
        present = _installation_at(service_point_id)
        _record(present, on, last_register, Read.Quality.ACTUAL, f"exchange {present.pk}")
        _remove(present, on)
        return install_meter(
            actor, serial, service_point_id, on, size=size, unit=unit, dials=dials,
            register=register,
        )  # fmt: skip


def remove_meter(actor: Actor, service_point_id: int, on: date, last_register: int) -> None:
    """Reads the meter at a service point for the last time and takes it out."""
    actor.require("property.change")
    with acting(actor), transaction.atomic():
        present = _installation_at(service_point_id)
        _record(present, on, last_register, Read.Quality.ACTUAL, f"removal {present.pk}")
        _remove(present, on)


def record_read(
    actor: Actor,
    serial: str,
    on: date,
    register: int,
    today: date,
    quality: str = Read.Quality.ACTUAL,
) -> int:
    """Records what a meter shows on a day; returns the read's id.

    Usage is counted from the read before, over a rollover of the dials if that is plausible
    (see `dials`). Raises NotFound (meter not installed that day), ImplausibleRead (lower than
    before without a rollover, or not after the last read), Invalid (register, quality, future).
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
        return _record(present, on, register, quality, f"typed {serial} {on}")


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
    the next read of it is for what was used after the estimate. source: what the estimate was
    made for, once only. Raises ImplausibleRead when the service was read after from_on, Invalid
    for a usage below zero.
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
        register = None
        if installed is not None:
            last = reads.filter(meter=installed.meter, register__isnull=False).order_by("-to_on")
            before = last.values_list("register", flat=True).first()
            start = installed.register_at_start if before is None else before
            register = (start + usage_thousandths // THOUSAND) % 10**installed.meter.dials
        return Read.objects.create(
            service_point_id=service_point_id,
            meter=installed.meter if installed else None,
            from_on=from_on,
            to_on=on,
            register=register,
            usage_thousandths=usage_thousandths,
            unit=unit,
            quality=Read.Quality.ESTIMATE,
            source=source,
        ).pk


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


def wait_for_imports(*, alone: bool = False) -> None:
    """Until the transaction ends no import adds reads; with `alone`, nobody else does either.

    A read counts from the one before, so two that are added at once could count the same usage.
    """
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtext('metering reads'))")


def _remove(installation: Installation, on: date) -> None:
    installation.period = DateRange(installation.period.lower, on)
    installation.save(update_fields=["period"])


def _record(installation: Installation, on: date, register: int, quality: str, source: str) -> int:
    meter = installation.meter
    wait_for_imports()
    if not 0 <= register < 10**meter.dials:
        raise Invalid(
            f"The {meter.dials} dials of meter {meter.serial} cannot show {register}; read it "
            "again.",
            field="register",
        )
    last = (
        Read.objects.filter(
            meter=meter, to_on__gt=installation.period.lower, register__isnull=False
        )
        .filter(service_point_id=installation.service_point_id)
        .order_by("-to_on")
        .first()
    )
    since = last.to_on if last else installation.period.lower
    before = last.register if last and last.register is not None else installation.register_at_start
    if on <= since:
        raise ImplausibleRead(
            f"Meter {meter.serial} was read on {since:%B %-d, %Y}; give a later day.",
            field="read_on",
        )
    used = usage_of(before, register, meter.dials)
    if used is None:
        raise ImplausibleRead(
            f"Meter {meter.serial} showed {before} on {since:%B %-d, %Y}, so {register} is too "
            "low; read it again, or exchange the meter.",
            field="register",
        )
    return Read.objects.create(
        service_point_id=installation.service_point_id,
        meter=meter,
        from_on=since,
        to_on=on,
        register=register,
        usage_thousandths=used * THOUSAND,
        unit=meter.unit,
        quality=quality,
        source=source,
    ).pk
