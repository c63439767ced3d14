"""Customer deposits.

A **deposit** is asked for as a charge whose other side is a liability, so that what is paid on it
is held and never earned. Every cent that the liability rose or fell by is a **movement** of one
deposit. What is held is the sum of a deposit's movements less what is still open on its charge.

What holds, whoever writes (see `sql/guards.sql`): movements are only added, a deposit that is
closed stays closed, and it is closed only when its movements come to nothing.
"""

import pghistory
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, Charge, Entry


@pghistory.track()
class DepositTerms(models.Model):
    """The city's terms from a day on.

    due_days: from the asking until it is due. release_months: how long a whole deposit is held
    while all is paid on time. grace_days: after a due date that still count as on time.
    year_days: of a year of interest. requirements: the first that fits decides; each has
    `property_types` (all when empty), `holders`, `cents` and `is_per_unit`.
    """

    starts_on = models.DateField(unique=True)
    due_days = models.SmallIntegerField()
    release_months = models.SmallIntegerField()
    grace_days = models.SmallIntegerField()
    year_days = models.SmallIntegerField()
    requirements = models.JSONField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


@pghistory.track()
class DepositRate(models.Model):
    """Simple interest a year on what is held, from a day on, in millionths."""

    starts_on = models.DateField(unique=True)
    rate_micros = models.IntegerField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


@pghistory.track()
class Deposit(models.Model):
    """A deposit of an account; it has a charge, or was carried on from another account.

    basis: why it is required, in words. whole_since: for one that was carried on, the day from
    which it was whole before.
    """

    number = models.CharField(max_length=16, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="deposits")
    charge = models.OneToOneField(
        Charge, models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    carried_from = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="carried_to"
    )
    whole_since = models.DateField(null=True)
    basis = models.CharField(max_length=200)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_on = models.DateField()
    closed_on = models.DateField(null=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(charge__isnull=False, carried_from=None, whole_since=None)
                | models.Q(charge=None, carried_from__isnull=False),
                name="deposit_asked_or_carried_on",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(closed_on=None),
                name="one_open_deposit_of_an_account",
            ),
        ]


class DepositMovement(models.Model):
    """Cents by which an entry raised (> 0) or lowered what is owed back on a deposit."""

    class Kind(models.TextChoices):
        ASKED = "asked", "Asked for"
        CANCELED = "canceled", "Not asked for any more"
        INTEREST = "interest", "Interest"
        APPLIED = "applied", "Used for what was owed"
        RELEASED = "released", "Credit of the account"
        CARRIED_OUT = "carried_out", "Carried on to another account"
        CARRIED_IN = "carried_in", "Carried on from another account"

    deposit = models.ForeignKey(Deposit, models.PROTECT, related_name="movements")
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    on = models.DateField()
    cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["deposit", "entry", "kind"], name="deposit_movement_once_in_an_entry"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["asked", "interest", "carried_in"], cents__gt=0)
                | models.Q(
                    kind__in=["canceled", "applied", "released", "carried_out"], cents__lt=0
                ),
                name="deposit_movement_on_its_side",
            ),
        ]
