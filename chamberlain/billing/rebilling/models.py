"""Who had which bills set right, why, and what they saw before it was posted.

A **rebill** is drafted by one person from **corrections**; `shown` keeps what the page showed,
old against new, and `seen` a digest of it. It is posted only while that is still what would be
posted. A corrected read is a read of its own, so that the old bill keeps the one it was made of.
"""

from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, BusinessDay
from chamberlain.metering.models import Read
from chamberlain.tariffs.models import Tariff


class Rule(models.Model):
    """The city's limits from a day on.

    charge_months, credit_months: how far back a customer is charged more, or less.
    approval_cents: a rebill that changes bills by this much or more needs a second person.
    """

    starts_on = models.DateField(unique=True)
    charge_months = models.SmallIntegerField()
    credit_months = models.SmallIntegerField()
    approval_cents = models.BigIntegerField()
    due_days = models.SmallIntegerField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    charge_months__gte=0,
                    credit_months__gte=0,
                    approval_cents__gt=0,
                    due_days__gte=0,
                ),
                name="rebill_rule_sound",
            )
        ]


class Reason(models.Model):
    """Why bills are set right. is_beyond_limit: it may reach further back than the limit."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=120)
    is_beyond_limit = models.BooleanField(default=False)
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


class Rebill(models.Model):
    """One rebilling of an account's bills. to_on: the first day after; null is up to now and on.

    moved_cents: the sum of what each bill changes by, whichever way. penalty_cents: penalties that
    the old bills caused and that are taken back with them.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ASKED = "asked", "Waits for a second person"
        POSTED = "posted", "Posted"
        DECLINED = "declined", "Declined"

    account = models.ForeignKey(Account, models.PROTECT, related_name="rebills")
    from_on = models.DateField()
    to_on = models.DateField(null=True)
    reason = models.ForeignKey(Reason, models.PROTECT)
    note = models.CharField(max_length=140)
    corrections = models.JSONField()
    shown = models.JSONField()
    seen = models.CharField(max_length=64)
    difference_cents = models.BigIntegerField()
    moved_cents = models.BigIntegerField()
    penalty_cents = models.BigIntegerField(default=0)
    needs_approval = models.BooleanField()
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    business_day = models.ForeignKey(BusinessDay, models.PROTECT, null=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="posted", needs_approval=True)
                | (models.Q(decided_by__isnull=False) & ~models.Q(decided_by=models.F("asked_by"))),
                name="rebill_approved_by_another",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["posted", "declined"])
                | models.Q(decided_by__isnull=False, decided_at__isnull=False),
                name="rebill_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(to_on=None) | models.Q(to_on__gt=models.F("from_on")),
                name="rebill_period_forward",
            ),
        ]


class CorrectedRead(models.Model):
    """A read that stands in for another. root: the first of the chain, from the meter."""

    root = models.ForeignKey(Read, models.PROTECT, related_name="+")
    old = models.OneToOneField(Read, models.PROTECT, related_name="+")
    new = models.OneToOneField(Read, models.PROTECT, related_name="+")
    rebill = models.ForeignKey(Rebill, models.PROTECT, related_name="corrected_reads")


class CityRebill(models.Model):
    """Every bill under a tariff set right over a period, as after a rate that was loaded wrong."""

    tariff = models.ForeignKey(Tariff, models.PROTECT)
    from_on = models.DateField()
    to_on = models.DateField(null=True)
    reason = models.ForeignKey(Reason, models.PROTECT)
    note = models.CharField(max_length=140)
    business_day = models.ForeignKey(BusinessDay, models.PROTECT)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None, approved_at=None)
                | (
                    models.Q(approved_at__isnull=False)
                    & ~models.Q(approved_by=models.F("asked_by"))
                ),
                name="city_rebill_approved_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(to_on=None) | models.Q(to_on__gt=models.F("from_on")),
                name="city_rebill_period_forward",
            ),
        ]


class CityChunk(models.Model):
    """A range of service points that commits on its own.

    left_out: bills beyond the city's limit, that cannot be rated as things stand, or of which
    something was forgiven.
    """

    rebill = models.ForeignKey(CityRebill, models.PROTECT, related_name="chunks")
    number = models.IntegerField()
    first_point = models.BigIntegerField()
    last_point = models.BigIntegerField()
    posted_at = models.DateTimeField(null=True)
    taken_back = models.IntegerField(default=0)
    made = models.IntegerField(default=0)
    left_out = models.IntegerField(default=0)
    difference_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rebill", "number"], name="city_chunk_number_once")
        ]
