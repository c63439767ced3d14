"""Rate schedules as data: a **tariff** is a list of **components**, each a printed line.

The figures of a component stand in `terms`, in the shape that `schedule.py` checks and reads:
dated versions of rates, tiers, percents. A published figure that nobody has verified stays
marked. A tariff of kind `owrs` keeps its published file in `source_text` and is rated by it.
"""

import pghistory
from django.db import models


@pghistory.track()
class Tariff(models.Model):
    """A rate schedule of the city."""

    class Kind(models.TextChoices):
        CITY = "city", "City schedule"
        OWRS = "owrs", "Open Water Rate Specification"

    class Proration(models.TextChoices):
        BY_DAY = "by_day", "By day"
        BY_READ_DATE = "by_read_date", "By read date"
        NONE = "none", "None"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind)
    unit = models.CharField(max_length=4)
    proration = models.CharField(max_length=12, choices=Proration)
    source = models.CharField(max_length=300)
    source_text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(proration__in=["by_day", "by_read_date", "none"]),
                name="tariff_proration_known",
            )
        ]


@pghistory.track()
class Component(models.Model):
    """A printed line of the tariff: its words, the kind of charge it raises, and its terms."""

    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="components")
    position = models.SmallIntegerField()
    code = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    charge_kind = models.CharField(max_length=24)
    formula = models.CharField(max_length=200, help_text="In words, for the bill")
    terms = models.JSONField()
    source = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tariff", "position"], name="component_position_once_in_a_tariff"
            ),
            models.UniqueConstraint(fields=["tariff", "code"], name="component_code_once"),
        ]
