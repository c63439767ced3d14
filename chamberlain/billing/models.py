"""What is billed, how it was billed, and the bills.

A **service agreement** bills a service point to an account under a tariff. A **bill run** bills
many agreements in **chunks** that commit on their own; what cannot be billed becomes a **hold**
on its worklist. A **bill** has **lines**; each line raised one charge. A bill is never changed,
only reversed and replaced.
"""

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Coalesce

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, BusinessDay, Charge, Entry
from chamberlain.metering.models import Read
from chamberlain.registry.models import ServicePoint
from chamberlain.tariffs.models import Component, Tariff


@pghistory.track()
class ServiceAgreement(models.Model):
    """Bills what is used at a service point to an account, for a range of days.

    attributes: text values that the tariff may ask for, such as water_type.
    normal_daily_thousandths: the usual usage a day, which the check for absurd usage needs.
    cycle_months: how often it is billed.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="agreements")
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="agreements")
    tariff = models.ForeignKey(Tariff, models.PROTECT)
    rate_class = models.CharField(max_length=40)
    is_metered = models.BooleanField(default=True)
    meter_size = models.CharField(max_length=12, blank=True)
    dwelling_units = models.IntegerField(default=1)
    exemptions = ArrayField(models.CharField(max_length=24), default=list)
    attributes = models.JSONField(default=dict)
    normal_daily_thousandths = models.BigIntegerField(null=True)
    cycle_months = models.SmallIntegerField(default=2)
    period = DateRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="service_agreed_once_at_a_time",
                expressions=[
                    ("service_point", RangeOperators.EQUAL),
                    ("tariff", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            )
        ]


class BillRun(models.Model):
    """One run: which reads or seasons, billed on which day, due when.

    reads_after: an agreement of the cycle without a read after this day goes to the worklist.
    cycle_months: null bills agreements of every cycle.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"

    name = models.CharField(max_length=120)
    tariff = models.ForeignKey(Tariff, models.PROTECT)
    is_metered = models.BooleanField()
    cycle_months = models.SmallIntegerField(null=True)
    reads_after = models.DateField(null=True)
    reads_up_to = models.DateField(help_text="Reads that end on or before this day")
    season_from_on = models.DateField(null=True)
    season_to_on = models.DateField(null=True)
    business_day = models.ForeignKey(BusinessDay, models.PROTECT)
    due_on = models.DateField()
    status = models.CharField(max_length=8, choices=Status, default=Status.PLANNED)
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    stop_requested = models.BooleanField(default=False)
    idempotency_key = models.CharField(max_length=64, unique=True)


class Chunk(models.Model):
    """A range of agreements of a run that commits on its own."""

    run = models.ForeignKey(BillRun, models.PROTECT, related_name="chunks")
    number = models.IntegerField()
    first_agreement = models.BigIntegerField()
    last_agreement = models.BigIntegerField()
    posted_at = models.DateTimeField(null=True)
    bills = models.IntegerField(default=0)
    held = models.IntegerField(default=0)
    cents = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="chunk_number_once_in_a_run")
        ]


class Bill(models.Model):
    """A bill. `entry` raised its charges; a reversal is the entry that reverses that one."""

    number = models.CharField(max_length=24, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="bills")
    agreement = models.ForeignKey(ServiceAgreement, models.PROTECT, db_index=False)
    run = models.ForeignKey(BillRun, models.PROTECT, null=True)
    read = models.ForeignKey(Read, models.PROTECT, null=True, db_index=False)
    entry = models.OneToOneField(Entry, models.PROTECT, null=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    from_on = models.DateField()
    to_on = models.DateField()
    issued_on = models.DateField()
    due_on = models.DateField()
    total_cents = models.BigIntegerField()
    previous_balance_cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["read", "agreement"],
                condition=models.Q(replaces=None),
                name="read_billed_once",
            ),
            models.UniqueConstraint(
                fields=["agreement", "from_on"],
                condition=models.Q(replaces=None, read=None),
                name="season_billed_once",
            ),
            models.CheckConstraint(
                condition=models.Q(to_on__gt=models.F("from_on")), name="bill_period_forward"
            ),
            models.CheckConstraint(
                condition=models.Q(total_cents__gte=0), name="bill_total_not_negative"
            ),
        ]


class BillLine(models.Model):
    """A printed line: what, how much of it, at what rate, and the cents it came to.

    rate_micros: millionths of a dollar (or of one, for a percent) per unit; null when several
    rates made the line, which `steps` then lists: each with days, quantity_thousandths,
    rate_micros and, for tiers, tier.
    """

    pk = models.CompositePrimaryKey("bill_id", "position")
    bill = models.ForeignKey(
        Bill, models.PROTECT, related_name="lines", db_index=False, db_constraint=False
    )
    position = models.SmallIntegerField()
    component = models.ForeignKey(Component, models.PROTECT, db_index=False, db_constraint=False)
    charge = models.OneToOneField(Charge, models.PROTECT, null=True, db_constraint=False)
    cents = models.BigIntegerField()
    quantity_thousandths = models.BigIntegerField()
    unit = models.CharField(max_length=16)
    rate_micros = models.BigIntegerField(null=True)
    days = models.IntegerField()
    steps = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gte=0), name="bill_line_not_negative")
        ]


class Hold(models.Model):
    """What a run could not bill, why, and what to do: its worklist."""

    run = models.ForeignKey(BillRun, models.PROTECT, related_name="holds")
    agreement = models.ForeignKey(ServiceAgreement, models.PROTECT)
    read = models.ForeignKey(Read, models.PROTECT, null=True)
    code = models.CharField(max_length=24)
    sentence = models.CharField(max_length=300)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    resolution = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "run", "agreement", Coalesce("read", 0), name="held_once_in_a_run"
            )
        ]
