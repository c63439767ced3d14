"""Meters, where they are installed, and what they read.

A **read** ends a period of use at a service point: from the day of the read before (closed) to
its own day (open), with the usage between the two. Usage is whole thousandths of the unit. A
read that came in without a dial figure (usage only) has no `register`.

Most reads are of one meter. Where more than one counted within the period, the read is the sum
of its **parts**: a meter that was exchanged within it, the low-flow register of a compound
meter, and, subtracted, a deduct meter. Parts of a meter that was taken out wait for the next
read of the service point.
"""

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models

from chamberlain.identity.models import User
from chamberlain.registry.models import ServicePoint


class Unit(models.TextChoices):
    """Units of volume that meters count in."""

    CCF = "ccf", "hundred cubic feet"
    MCF = "mcf", "thousand cubic feet"
    KGAL = "kgal", "thousand gallons"
    GAL = "gal", "gallons"
    KL = "kl", "kilolitres"


@pghistory.track()
class Meter(models.Model):
    """A meter. dials: how many digits it shows before it starts again at zero."""

    serial = models.CharField(max_length=32, unique=True)
    size = models.CharField(max_length=12)
    dials = models.SmallIntegerField(default=6)
    unit = models.CharField(max_length=4, choices=Unit)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(dials__gte=3, dials__lte=9), name="meter_dials_three_to_nine"
            )
        ]


@pghistory.track()
class Installation(models.Model):
    """A meter at a service point for a range of days, with the register when it was put in."""

    meter = models.ForeignKey(Meter, models.PROTECT, related_name="installations")
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="installations")
    period = DateRangeField()
    register_at_start = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="meter_in_one_place_at_a_time",
                expressions=[("meter", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
            )
        ]


class Role(models.TextChoices):
    """What a meter's usage is to the service point that it counts for."""

    MAIN = "main", "Main meter"
    LOW_FLOW = "low_flow", "Low flow of a compound meter"
    DEDUCT = "deduct", "Deduct meter"


@pghistory.track()
class SideMeter(models.Model):
    """A meter that is read together with the one at a service point, for a range of days.

    A low-flow register's usage is added. A deduct meter stands behind the other, and its usage
    is subtracted, since it is billed elsewhere or not at all; it may be installed at a service
    point of its own.
    """

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="side_meters")
    meter = models.ForeignKey(Meter, models.PROTECT, related_name="beside")
    role = models.CharField(max_length=8, choices=Role)
    period = DateRangeField()
    register_at_start = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="side_meter_in_one_place_at_a_time",
                expressions=[("meter", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[Role.LOW_FLOW, Role.DEDUCT]), name="side_meter_role"
            ),
        ]


class Read(models.Model):
    """What was used at a service point from `from_on` up to `to_on`."""

    class Quality(models.TextChoices):
        ACTUAL = "actual", "Actual"
        ESTIMATE = "estimate", "Estimate"
        CUSTOMER = "customer", "Read by the customer"

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="reads")
    meter = models.ForeignKey(Meter, models.PROTECT, null=True, db_index=False)
    from_on = models.DateField()
    to_on = models.DateField()
    register = models.BigIntegerField(null=True)
    usage_thousandths = models.BigIntegerField()
    unit = models.CharField(max_length=4, choices=Unit)
    quality = models.CharField(max_length=8, choices=Quality)
    is_verified = models.BooleanField(default=False)
    source = models.CharField(max_length=60, help_text="The file and line it came from")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source"], name="read_imported_once"),
            models.CheckConstraint(
                condition=models.Q(to_on__gt=models.F("from_on")), name="read_period_forward"
            ),
            models.CheckConstraint(
                condition=models.Q(unit__in=Unit.values), name="read_unit_known"
            ),
        ]


class ReadPart(models.Model):
    """What one meter counted of a read; usage_thousandths is never below zero.

    A read with parts is the sum of those that add less those that deduct. read: null until the
    service point is read next.
    """

    read = models.ForeignKey(Read, models.PROTECT, null=True, related_name="parts", db_index=False)
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, db_index=False)
    meter = models.ForeignKey(Meter, models.PROTECT, db_index=False)
    role = models.CharField(max_length=8, choices=Role)
    from_on = models.DateField()
    to_on = models.DateField()
    register_before = models.BigIntegerField()
    register_after = models.BigIntegerField()
    usage_thousandths = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="part_role"),
            models.CheckConstraint(
                condition=models.Q(to_on__gte=models.F("from_on")), name="part_days_forward"
            ),
            models.CheckConstraint(
                condition=models.Q(usage_thousandths__gte=0), name="part_not_below_zero"
            ),
        ]
        indexes = [
            models.Index(fields=["read"], name="part_of_read"),
            models.Index(fields=["service_point", "meter", "to_on"], name="part_of_meter"),
            models.Index(
                fields=["service_point"],
                condition=models.Q(read=None),
                name="part_waiting",
            ),
        ]

    @property
    def signed_thousandths(self) -> int:
        """What it adds to the read: below zero for a deduct meter."""
        usage = int(self.usage_thousandths)
        return -usage if self.role == Role.DEDUCT else usage


class ReadImport(models.Model):
    """A file of reads that was imported. The same file is imported once."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the file")
    name = models.CharField(max_length=120)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reads = models.IntegerField(default=0)


class ReadException(models.Model):
    """A record of an imported file that is no usable read: an item of the metering worklist."""

    read_import = models.ForeignKey(ReadImport, models.PROTECT, related_name="exceptions")
    line = models.IntegerField()
    meter = models.CharField(max_length=40)
    read_on = models.CharField(max_length=24)
    register = models.CharField(max_length=24)
    code = models.CharField(max_length=24)
    sentence = models.CharField(max_length=300)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    resolution = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["read_import"],
                condition=models.Q(resolved_at=None),
                name="read_exception_open",
            )
        ]
