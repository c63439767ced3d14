"""Late penalties.

The **late policy** is the city's, dated. A **penalty** is a charge of its own that names the
charge that caused it and the day on which it fell due; no charge draws two for one day. A
**penalty hold** is a range of days in which an account, or one charge of it, draws none. A
**penalty run** is one night.
"""

import pghistory
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, BusinessDay, Charge


@pghistory.track()
class LatePolicy(models.Model):
    """The rule from a day on, until that of a later day.

    rate_micros: millionths of what is open, for each month. grace_days: days after the charge
    was raised in which it may be paid. days_after_dispute: days after a bill was sent again.
    exempt: codes of exemptions on a service agreement.
    """

    starts_on = models.DateField(unique=True)
    rate_micros = models.IntegerField()
    grace_days = models.SmallIntegerField()
    days_after_dispute = models.SmallIntegerField()
    charge_kinds = ArrayField(models.CharField(max_length=24))
    penalty_kind = models.CharField(max_length=24)
    exempt = ArrayField(models.CharField(max_length=24))
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rate_micros__gte=0, grace_days__gte=0),
                name="late_policy_not_negative",
            )
        ]


class PenaltyRun(models.Model):
    """One night: what fell due before `on`. Not finished when it was stopped in the middle."""

    on = models.DateField()
    business_day = models.ForeignKey(BusinessDay, models.PROTECT)
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    raised = models.IntegerField(default=0)
    raised_cents = models.BigIntegerField(default=0)
    reversed = models.IntegerField(default=0)


class Penalty(models.Model):
    """Why a penalty was charged: `open_cents` of `caused_by` were open when `falls_on` ended."""

    charge = models.OneToOneField(Charge, models.PROTECT, primary_key=True, related_name="+")
    caused_by = models.ForeignKey(Charge, models.PROTECT, related_name="+", db_index=False)
    falls_on = models.DateField()
    open_cents = models.BigIntegerField()
    run = models.ForeignKey(PenaltyRun, models.PROTECT, related_name="penalties", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["caused_by", "falls_on"], name="penalized_once_for_a_period"
            ),
            models.CheckConstraint(
                condition=models.Q(open_cents__gt=0), name="penalty_of_something_open"
            ),
            models.CheckConstraint(
                condition=~models.Q(charge=models.F("caused_by")), name="penalty_not_of_itself"
            ),
        ]


@pghistory.track()
class PenaltyHold(models.Model):
    """Days in which an account draws no penalty, or only `charge` does not."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="penalty_holds")
    charge = models.ForeignKey(Charge, models.PROTECT, null=True, related_name="+")
    period = DateRangeField()
    reason = models.CharField(max_length=200)
    placed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
