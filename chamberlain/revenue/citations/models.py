"""Citations.

A **citation** is an obligation with a plate and a **stage**: issued, noticed, contested, set for a
hearing, determined, finally determined, sent to collection, dismissed. What was paid is told by its
charges. Each change of stage is an **event**, which is only added. A **boot** is put on a vehicle
whose citations the city's terms make it eligible for; the vehicle may be towed, and is released
once all is paid.

What holds, whoever writes (see `sql/guards.sql`): events are never changed; who dismisses a
citation is another person than who entered that it is contested; a boot is released once.
"""

import pghistory
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, Entry
from chamberlain.revenue.models import Obligation


@pghistory.track()
class CitationTerms(models.Model):
    """The city's rules of citations from a day on.

    doubles_days: unpaid and not contested for so many days, a citation is finally determined, and
    a penalty of as much again falls due. boot_count: so many finally determined make a vehicle
    eligible for the boot, boot_old_count of them when they are older than boot_old_days.
    storage_days: days in the pound at the first price. Fees are codes of the city's fees.
    """

    starts_on = models.DateField(unique=True)
    notice_days = models.SmallIntegerField()
    doubles_days = models.SmallIntegerField()
    collection_days = models.SmallIntegerField()
    boot_count = models.SmallIntegerField()
    boot_old_count = models.SmallIntegerField()
    boot_old_days = models.SmallIntegerField()
    boot_fee = models.CharField(max_length=48)
    tow_fee = models.CharField(max_length=48)
    storage_days = models.SmallIntegerField()
    storage_fee = models.CharField(max_length=48)
    storage_fee_after = models.CharField(max_length=48)
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


class Citation(models.Model):
    """A citation: whose vehicle, and how far it is. base_on: the day that its days count from."""

    class Stage(models.TextChoices):
        ISSUED = "issued", "Issued"
        NOTICE = "notice", "Notice sent"
        CONTESTED = "contested", "Contested"
        HEARING = "hearing", "Set for a hearing"
        DETERMINED = "determined", "Determined: liable"
        FINAL = "final", "Final determination"
        COLLECTION = "collection", "In collection"
        DISMISSED = "dismissed", "Dismissed"

    obligation = models.OneToOneField(
        Obligation, models.PROTECT, primary_key=True, related_name="citation"
    )
    plate = models.CharField(max_length=12, db_index=True)
    stage = models.CharField(max_length=10, choices=Stage)
    base_on = models.DateField()
    hearing_on = models.DateField(null=True)
    contested_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decided_by=None)
                | ~models.Q(decided_by=models.F("contested_by")),
                name="citation_decided_by_another",
            )
        ]
        indexes = [models.Index(fields=["stage", "base_on"], name="citation_stage_day")]


class CitationEvent(models.Model):
    """A change of stage."""

    citation = models.ForeignKey(Citation, models.PROTECT, related_name="events")
    stage = models.CharField(max_length=10, choices=Citation.Stage)
    on = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+")


class Boot(models.Model):
    """A boot on a vehicle. eligible: why it could be put on, in words."""

    plate = models.CharField(max_length=12)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    eligible = models.CharField(max_length=200)
    place = models.CharField(max_length=120)
    booted_on = models.DateField()
    booted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    towed_on = models.DateField(null=True)
    towed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    stored_until = models.DateField(null=True)
    released_on = models.DateField(null=True)
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plate"],
                condition=models.Q(released_on=None),
                name="one_boot_on_a_vehicle",
            )
        ]
