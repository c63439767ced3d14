"""A center's safe.

The **change fund** is the fixed sum that tills are opened with; who sets it makes the center keep
its safe: from then on two people count it before the first till opens and before the day closes
(**safe count**), blind, and what differs is posted. A **change order** swaps notes for coins
between a drawer and the safe, worth the same. A **handover** passes a till from one cashier to the
next. A **surprise count** looks into an open drawer.

What holds, whoever writes (see `sql/guards.sql`): a safe is counted by two different people, a
change order is filled by another than the cashier who asked, and neither changes afterwards.
"""

import pghistory
from django.db import models

from chamberlain.cashiering.models import TillSession
from chamberlain.identity.models import Center, User
from chamberlain.ledger.models import BusinessDay, Entry


@pghistory.track()
class ChangeFund(models.Model):
    """The fixed sum of a center's safe and drawers together."""

    center = models.OneToOneField(Center, models.PROTECT, related_name="change_fund")
    cents = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    set_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="change_fund_positive")
        ]


class SafeCount(models.Model):
    """The loose cash of a safe, counted by two people. pieces: by denomination in cents.

    expected_cents: what the books said at that moment; the entry posts the difference.
    """

    class Moment(models.TextChoices):
        START = "start", "Start of the day"
        END = "end", "End of the day"
        BETWEEN = "between", "In between"

    business_day = models.ForeignKey(BusinessDay, models.PROTECT, related_name="safe_counts")
    moment = models.CharField(max_length=8, choices=Moment)
    pieces = models.JSONField()
    counted_cents = models.BigIntegerField()
    expected_cents = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    counted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    witnessed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    counted_at = models.DateTimeField()
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(counted_by=models.F("witnessed_by")),
                name="safe_counted_by_two",
            ),
            models.CheckConstraint(
                condition=models.Q(counted_cents=models.F("expected_cents"), entry=None)
                | models.Q(entry__isnull=False),
                name="safe_difference_posted",
            ),
        ]


class ChangeOrder(models.Model):
    """Coins and notes that a drawer wants from the safe for others worth the same.

    wanted: pieces by denomination in cents.
    """

    session = models.ForeignKey(TillSession, models.PROTECT, related_name="change_orders")
    wanted = models.JSONField()
    cents = models.BigIntegerField()
    asked_at = models.DateTimeField()
    given = models.JSONField(null=True, help_text="What the drawer gave for it")
    filled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    filled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="change_order_positive"),
            models.CheckConstraint(
                condition=models.Q(given=None, filled_by=None, filled_at=None)
                | models.Q(given__isnull=False, filled_by__isnull=False, filled_at__isnull=False),
                name="change_order_filled_whole",
            ),
            models.UniqueConstraint(
                fields=["session"],
                condition=models.Q(filled_at=None),
                name="change_order_one_at_a_time",
            ),
        ]


class Handover(models.Model):
    """A till that one cashier counted and closed and the next opened at the same moment."""

    given = models.OneToOneField(TillSession, models.PROTECT, related_name="handed_over")
    taken = models.OneToOneField(TillSession, models.PROTECT, related_name="taken_over")
    at = models.DateTimeField()


class SurpriseCount(models.Model):
    """An open drawer that a supervisor counted without notice; nothing is posted by it.

    pieces: by denomination in cents. expected_cents: with the float, at that moment.
    """

    session = models.ForeignKey(TillSession, models.PROTECT, related_name="surprise_counts")
    pieces = models.JSONField()
    counted_cents = models.BigIntegerField()
    expected_cents = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    counted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    counted_at = models.DateTimeField()
