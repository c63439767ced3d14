"""How estimates came about, and which actual reads set them right.

An **estimate** is a read of quality estimate with what it was reckoned from. Estimates are made
many at a time, in a **batch**. A **true-up** is the rebill that spreads what was really used,
between two actual reads, over the estimated periods between them.
"""

import pghistory
from django.db import models

from chamberlain.billing.models import BillRun, ServiceAgreement
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.identity.models import User
from chamberlain.metering.models import Read
from chamberlain.registry.models import ServicePoint


@pghistory.track()
class EstimateTerms(models.Model):
    """The city's terms of estimates from a day on.

    in_row: at most so many estimates of a service between two reads. covered_percent: how much of
    the same days of last year must have been read. class_days: over how many days back the class's
    average is taken, class_services: of at least so many services. true_up_reason: code of the
    reason of rebilling under which estimates are trued up.
    """

    starts_on = models.DateField(unique=True)
    in_row = models.SmallIntegerField()
    covered_percent = models.SmallIntegerField()
    class_days = models.SmallIntegerField()
    class_services = models.IntegerField()
    true_up_reason = models.CharField(max_length=24)
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    in_row__gte=0,
                    covered_percent__gt=0,
                    covered_percent__lte=100,
                    class_days__gt=0,
                    class_services__gt=0,
                ),
                name="estimate_terms_sound",
            )
        ]


class EstimateBatch(models.Model):
    """Estimates that were made at once. run: the bill run whose worklist asked for them."""

    run = models.ForeignKey(BillRun, models.PROTECT, null=True, related_name="+")
    up_to = models.DateField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    estimates = models.IntegerField()
    refused = models.IntegerField()
    idempotency_key = models.CharField(max_length=64, unique=True)


class Estimate(models.Model):
    """What an estimated read was reckoned from: usage in thousandths over so many days."""

    class How(models.TextChoices):
        LAST_YEAR = "last_year", "The same days of last year"
        CLASS_AVERAGE = "class_average", "The average of the class"

    batch = models.ForeignKey(EstimateBatch, models.PROTECT, related_name="made")
    read = models.OneToOneField(Read, models.PROTECT, related_name="+")
    agreement = models.ForeignKey(ServiceAgreement, models.PROTECT, db_index=False)
    how = models.CharField(max_length=16, choices=How)
    basis_thousandths = models.BigIntegerField()
    basis_days = models.BigIntegerField()
    basis_services = models.IntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(basis_days__gt=0, basis_thousandths__gte=0),
                name="estimate_rests_on_days",
            )
        ]


class TrueUp(models.Model):
    """A rebill that trues estimates up; null when they were right. read: the actual one after."""

    rebill = models.OneToOneField(Rebill, models.PROTECT, null=True, related_name="+")
    read = models.ForeignKey(Read, models.PROTECT, related_name="+")
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="+")
