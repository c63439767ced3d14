"""What the public pages of an account rest on.

**Terms** are the city's, dated: how long codes of bills hold, and which amounts may be paid by
card. An **entrance** is one try at an account number and a code, let in or not; it is never
changed. A **plan application** is a holder's wish for a payment plan, which a clerk answers.
"""

import pghistory
from django.db import models

from chamberlain.billing.plans.models import PlanTerms
from chamberlain.identity.models import User
from chamberlain.ledger.models import Account
from chamberlain.registry.models import Customer


@pghistory.track()
class ResidentTerms(models.Model):
    """What holds on the public pages from a day on. code_months: of bills issued so long ago."""

    starts_on = models.DateField(unique=True)
    code_months = models.SmallIntegerField()
    smallest_payment_cents = models.BigIntegerField()
    largest_payment_cents = models.BigIntegerField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    code_months__gt=0,
                    smallest_payment_cents__gt=0,
                    largest_payment_cents__gte=models.F("smallest_payment_cents"),
                ),
                name="resident_terms_make_sense",
            )
        ]


class Entrance(models.Model):
    """A try at the public pages. account: null where the number named none.

    network: the network address that it came from, as far as tries are counted by it.
    """

    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    happened_at = models.DateTimeField(db_index=True)
    network = models.CharField(max_length=60)
    was_let_in = models.BooleanField()


@pghistory.track()
class PlanApplication(models.Model):
    """A holder asks for a payment plan. reply: what the clerk answered; "" when a plan was made."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="plan_applications")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    terms = models.ForeignKey(PlanTerms, models.PROTECT, related_name="+")
    instalments = models.SmallIntegerField()
    total_cents = models.BigIntegerField()
    phone = models.CharField(max_length=32, blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reply = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(answered_at=None),
                name="one_plan_application_waits",
            ),
            models.CheckConstraint(
                condition=models.Q(instalments__gt=0, total_cents__gt=0),
                name="plan_application_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at=None, answered_by=None)
                | models.Q(answered_at__isnull=False, answered_by__isnull=False),
                name="plan_application_answered_whole",
            ),
        ]
