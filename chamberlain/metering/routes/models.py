"""In which order service points are read, and how often.

A **read cycle** is city data: every how many months a route is read. A **route** is read on one
work day of each of its cycle's months; its **stops** are service points in the order of walking.
"""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

from chamberlain.identity.models import User
from chamberlain.registry.models import ServicePoint


@pghistory.track()
class WorkCalendar(models.Model):
    """The days on which the city reads meters: weekdays that are no holiday there."""

    country = models.CharField(max_length=2, unique=True)
    subdivision = models.CharField(max_length=8, blank=True)
    closed_days = ArrayField(models.DateField(), default=list)


@pghistory.track()
class ReadCycle(models.Model):
    """How often routes are read: every so many months, counted from first_month of a year.

    work_days: routes are read on the first so many work days of a month. early_days: a read so
    many days before the day of its route still counts for it.
    """

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    months = models.SmallIntegerField()
    first_month = models.SmallIntegerField()
    work_days = models.SmallIntegerField()
    early_days = models.SmallIntegerField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(months__in=(1, 2, 3, 4, 6, 12))
                & models.Q(
                    first_month__gte=1,
                    first_month__lte=12,
                    work_days__gte=1,
                    work_days__lte=23,
                    early_days__gte=0,
                    early_days__lte=27,
                ),
                name="read_cycle_sound",
            )
        ]


@pghistory.track()
class Route(models.Model):
    """Service points that are read on one work day; work_day 1 is the first of the month."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    cycle = models.ForeignKey(ReadCycle, models.PROTECT, related_name="routes")
    work_day = models.SmallIntegerField()


class RouteFile(models.Model):
    """A file of routes that was looked at; it is read in once, or dropped."""

    name = models.CharField(max_length=120)
    content = models.BinaryField()
    kept_at = models.DateTimeField()
    kept_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    read_in_at = models.DateTimeField(null=True)


class Stop(models.Model):
    """A service point of a route. note: where the meter is, a dog, a key."""

    route = models.ForeignKey(Route, models.CASCADE, related_name="stops", db_index=False)
    sequence = models.IntegerField()
    service_point = models.OneToOneField(ServicePoint, models.PROTECT, related_name="+")
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["route", "sequence"], name="stop_once_in_a_sequence"),
            models.CheckConstraint(
                condition=models.Q(sequence__gte=1), name="stop_sequence_from_one"
            ),
        ]
