"""How a read is made: what each meter of a service point counted, added up.

A service point's period runs from its last read. Within it a meter may have been exchanged, and
meters may be read together (see `models.SideMeter`). The read is their sum. For example, with a
main meter exchanged on the 20th and a deduct meter behind both:

    M1      1,200 to 1,212 until the exchange    12
    M2          0 to     9                      + 9
    D1        310 to   314                      - 4
    read                                         17
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.metering.dials import usage_of
from chamberlain.metering.models import Installation, Meter, Read, ReadPart, Role, SideMeter

THOUSAND = 1000


class ImplausibleRead(Refused):
    """A read that cannot follow the one before it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a meter counted from one day to another, in whole units of its register."""

    meter: Meter
    role: str
    from_on: date
    to_on: date
    before: int
    after: int
    used: int

    def part(self, service_point_id: int) -> ReadPart:
        """As a part that waits for its read."""
        return ReadPart(
            service_point_id=service_point_id,
            meter=self.meter,
            role=self.role,
            from_on=self.from_on,
            to_on=self.to_on,
            register_before=self.before,
            register_after=self.after,
            usage_thousandths=self.used * THOUSAND,
        )


def wait_for_imports(*, alone: bool = False) -> None:
    """Until the transaction ends no import adds reads; with `alone`, nobody else does either.

    A read counts from the one before, so two that are added at once could count the same usage.
    """
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtext('metering reads'))")


def waiting_parts(service_point_id: int) -> list[ReadPart]:
    """Parts of meters that were taken out since the last read, by their days."""
    found = ReadPart.objects.filter(service_point_id=service_point_id, read=None)
    return list(found.select_related("meter").order_by("to_on", "pk"))


def counted(
    installation: Installation, on: date, register: int, field: str = "register"
) -> Counted:
    """What the meter of an installation counted up to a day. field: what a refusal is about.

    Raises Invalid (more than its dials show), ImplausibleRead (lower than before without a
    rollover, not after the last read).
    """
    meter, start = installation.meter, installation.period.lower
    refuse_beyond_dials(meter, register, field)
    since, before = start, installation.register_at_start
    last = last_read(installation)
    if last is not None and last.register is not None:
        since, before = last.to_on, last.register
    if on < since or on <= start:
        raise _not_after(meter, since)
    taken_out = (
        ReadPart.objects.filter(meter=meter, role=Role.MAIN, to_on__gt=start)
        .filter(service_point_id=installation.service_point_id)
        .order_by("-to_on")
        .first()
    )
    if taken_out is not None and taken_out.to_on >= on:
        raise _not_after(meter, taken_out.to_on)
    used = used_or_refused(meter, since, before, register, field)
    return Counted(meter, Role.MAIN, since, on, before, register, used)


def last_read(installation: Installation) -> Read | None:
    """The last read with a register of the installation's meter at its service point."""
    return (
        Read.objects.filter(
            meter_id=installation.meter_id,
            service_point_id=installation.service_point_id,
            to_on__gt=installation.period.lower,
            register__isnull=False,
        )
        .order_by("-to_on")
        .first()
    )


def counted_beside(side: SideMeter, on: date, register: int) -> Counted:
    """What a meter that is read together with another counted up to a day. Raises as `counted`."""
    field = f"beside-{side.meter.serial}"
    refuse_beyond_dials(side.meter, register, field)
    since, before = side.period.lower, side.register_at_start
    last = (
        ReadPart.objects.filter(
            service_point_id=side.service_point_id, meter_id=side.meter_id, role=side.role
        )
        .filter(to_on__gt=since)
        .order_by("-to_on", "-pk")
        .first()
    )
    if last is not None:
        since, before = last.to_on, last.register_after
    if on < since:
        raise _not_after(side.meter, since)
    used = used_or_refused(side.meter, since, before, register, field)
    return Counted(side.meter, side.role, since, on, before, register, used)


def used_or_refused(meter: Meter, since: date, before: int, register: int, field: str) -> int:
    """Whole units used, over a rollover if that is plausible. Raises ImplausibleRead."""
    used = usage_of(before, register, meter.dials)
    if used is None:
        raise ImplausibleRead(
            f"Meter {meter.serial} showed {before} on {since:%B %-d, %Y}, so {register} is too "
            "low; read it again, or exchange the meter.",
            field=field,
        )
    return used


def record(
    installation: Installation,
    on: date,
    register: int,
    quality: str,
    source: str,
    beside: Mapping[str, int],
    *,
    field: str = "register",
) -> int:
    """Makes the read of a service point up to a day; returns its id.

    beside: registers of the meters that are read together with this one, by serial. Raises what
    `counted` raises, Invalid (a register that is missing or not of this place), ImplausibleRead
    (deduct meters counted more than the others, a meter was taken out after that day).
    """
    wait_for_imports()
    main = counted(installation, on, register, field)
    waiting = waiting_parts(installation.service_point_id)
    if later := [part for part in waiting if part.to_on > on]:
        raise ImplausibleRead(
            f"Meter {later[-1].meter.serial} was taken out on {later[-1].to_on:%B %-d, %Y}; give "
            "that day or a later one.",
            field="read_on",
        )
    from_on = min([main.from_on, *(part.from_on for part in waiting)])
    if from_on == on:
        raise _not_after(installation.meter, on)
    sides = _sides(installation, on, beside)
    parts = [*waiting, *(each.part(installation.service_point_id) for each in (main, *sides))]
    thousandths = sum(part.signed_thousandths for part in parts)
    refuse_larger_deduct(parts, thousandths, field)
    read = Read.objects.create(
        service_point_id=installation.service_point_id,
        meter=installation.meter,
        from_on=from_on,
        to_on=on,
        register=register,
        usage_thousandths=thousandths,
        unit=installation.meter.unit,
        quality=quality,
        source=source,
    )
    if len(parts) > 1:
        keep_parts(read, parts)
    return read.pk


def keep_parts(read: Read, parts: Sequence[ReadPart]) -> None:
    """Gives parts their read: those that waited for it, and new ones."""
    waited = [part.pk for part in parts if part.pk]
    ReadPart.objects.filter(pk__in=waited, read=None).update(read=read)
    made = [part for part in parts if not part.pk]
    for part in made:
        part.read = read
    ReadPart.objects.bulk_create(made)


def refuse_larger_deduct(parts: Sequence[ReadPart], thousandths: int, field: str) -> None:
    """Raises ImplausibleRead when what is subtracted is more than what was counted."""
    if thousandths >= 0:
        return
    deducts = [part for part in parts if part.role == Role.DEDUCT]
    named = ", ".join(sorted({part.meter.serial for part in deducts}))
    less = sum(part.usage_thousandths for part in deducts)
    raise ImplausibleRead(
        f"Deduct meter {named} counted {less // THOUSAND}, more than the "
        f"{(thousandths + less) // THOUSAND} of the meter before it; read both again.",
        field=field,
    )


def side_meters(service_point_id: int) -> list[SideMeter]:
    """Meters that are read together with the one at a service point now, by serial."""
    found = SideMeter.objects.filter(service_point_id=service_point_id, period__endswith=None)
    return list(found.select_related("meter").order_by("meter__serial"))


def _sides(installation: Installation, on: date, beside: Mapping[str, int]) -> list[Counted]:
    present = {
        each.meter.serial: each
        for each in side_meters(installation.service_point_id)
        if each.period.lower < on
    }
    if strange := sorted(set(beside) - set(present)):
        raise Invalid(
            f"Meter {strange[0][:32]} is not read together with meter "
            f"{installation.meter.serial}; check the serial number.",
            field="beside",
        )
    if missing := sorted(set(present) - set(beside)):
        raise Invalid(
            f"Meter {installation.meter.serial} is read together with meter {missing[0]}; give "
            "what both show.",
            field=f"beside-{missing[0]}",
        )
    return [counted_beside(present[serial], on, shown) for serial, shown in sorted(beside.items())]


def refuse_beyond_dials(meter: Meter, register: int, field: str) -> None:
    """Raises Invalid for a register that the dials cannot show."""
    if not 0 <= register < 10**meter.dials:
        raise Invalid(
            f"The {meter.dials} dials of meter {meter.serial} cannot show {register}; read it "
            "again.",
            field=field,
        )


def _not_after(meter: Meter, since: date) -> ImplausibleRead:
    return ImplausibleRead(
        f"Meter {meter.serial} was read on {since:%B %-d, %Y}; give a later day.", field="read_on"
    )
