"""What the city charges for beside utilities: stickers, citations, licenses, other fees.

Each **obligation** is one such thing; it raised charges on the account of its holder.
"""

from django.db import models

from chamberlain.ledger.models import Account, Charge


class Obligation(models.Model):
    """A citation, license, sticker or fee, with its own number and what it is about."""

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


class ObligationCharge(models.Model):
    """Which charges an obligation raised."""

    charge = models.OneToOneField(Charge, models.PROTECT, primary_key=True)
    obligation = models.ForeignKey(Obligation, models.PROTECT, related_name="charges")
