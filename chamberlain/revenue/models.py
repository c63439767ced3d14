"""What the city charges for beside utilities: stickers, citations, licenses, other fees.

Each **obligation** is one such thing; it raised charges on the account of its holder. What it
costs is city data: a **fee** with dated **prices**, each with its source.
"""

import pghistory
from django.db import models

from chamberlain.ledger.models import Account, Charge, ChargeKind


class Obligation(models.Model):
    """A citation, license, sticker or fee, with its own number and what it is about.

    is_taken_back: it was sold and given up before it was paid; its charge is reversed.
    """

    class Kind(models.TextChoices):
        CITATION = "citation", "Parking citation"
        STICKER = "sticker", "Vehicle sticker"
        BUSINESS_LICENSE = "business_license", "Business license"
        ANIMAL_LICENSE = "animal_license", "Animal license"
        FEE = "fee", "Fee"

    number = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    account = models.ForeignKey(Account, models.PROTECT, related_name="obligations")
    subject = models.CharField(max_length=120, help_text="Plate, business, animal")
    description = models.CharField(max_length=160)
    arose_on = models.DateField()
    is_taken_back = models.BooleanField(default=False, db_default=False)


class ObligationCharge(models.Model):
    """Which charges an obligation raised."""

    charge = models.OneToOneField(Charge, models.PROTECT, primary_key=True)
    obligation = models.ForeignKey(Obligation, models.PROTECT, related_name="charges")


@pghistory.track()
class Fee(models.Model):
    """Something the city asks a price for. term_months: null for a price that is paid once,
    else the months that the price is for; a shorter or longer term is prorated by month."""

    code = models.CharField(max_length=48, unique=True)
    kind = models.CharField(max_length=20, choices=Obligation.Kind)
    name = models.CharField(max_length=120)
    charge_kind = models.ForeignKey(ChargeKind, models.PROTECT)
    term_months = models.SmallIntegerField(null=True)
    due_days = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=Obligation.Kind.values), name="fee_kind_known"
            )
        ]


@pghistory.track()
class FeePrice(models.Model):
    """What a fee costs from a day on, where that was published, and whether it was verified."""

    fee = models.ForeignKey(Fee, models.PROTECT, related_name="prices")
    starts_on = models.DateField()
    cents = models.BigIntegerField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fee", "starts_on"], name="one_price_from_a_day"),
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="price_positive"),
        ]
