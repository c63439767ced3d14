"""Numbered stock.

A **kind** of stock is what bears serial numbers: this year's city stickers, dog tags, receipt
books. A **place** is where numbers can be: the city's store, a center's safe, a till, under way
between two of them, or what became of them: sold, spoiled, missing, sent back to the vendor. A
**move** takes a range of numbers from one place to another; moves are only added. What a place
**holds** follows from them, and is kept by the database itself.

A **handover** is a move by two persons: one sends, another counts what arrived. A **count** is
what somebody found at a place without being told what should be there. A **sale** is a number that
went with something that was charged.

What holds, whoever writes (see `sql/guards.sql`):
- a number is in one place, and a move takes only what is there;
- moves, counts and sales are never deleted, and moves never changed;
- what was sent is accepted by another person than the sender, what is missing is declared by
  another than the one who counted, and what is spoiled has two names.
"""

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.db import models

from chamberlain.cashiering.models import Till, TillSession
from chamberlain.identity.models import Center, User
from chamberlain.ledger.models import Entry
from chamberlain.revenue.models import Fee, Obligation


@pghistory.track()
class Kind(models.Model):
    """A kind of numbered item. low_below: a till with fewer is said to run low."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8, blank=True)
    digits = models.SmallIntegerField()
    low_below = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digits__gte=1, digits__lte=12), name="stock_digits_in_range"
            )
        ]


class KindFee(models.Model):
    """A fee that is sold with an item of a kind."""

    kind = models.ForeignKey(Kind, models.PROTECT, related_name="fees")
    fee = models.OneToOneField(Fee, models.PROTECT, related_name="stock")


class Place(models.Model):
    """Where numbers can be."""

    class Role(models.TextChoices):
        STORE = "store", "City store"
        SAFE = "safe", "Center's safe"
        TILL = "till", "Till"
        UNDER_WAY = "under_way", "Under way"
        SOLD = "sold", "Sold"
        SPOILED = "spoiled", "Spoiled"
        MISSING = "missing", "Missing"
        SENT_BACK = "sent_back", "Sent back to the vendor"

    role = models.CharField(max_length=10, choices=Role)
    center = models.OneToOneField(Center, models.PROTECT, null=True, related_name="+")
    till = models.OneToOneField(Till, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role="safe", center__isnull=False, till=None)
                | models.Q(role="till", center=None, till__isnull=False)
                | (~models.Q(role__in=["safe", "till"]) & models.Q(center=None, till=None)),
                name="stock_place_of_its_role",
            ),
            models.UniqueConstraint(
                fields=["role"],
                condition=~models.Q(role__in=["safe", "till"]),
                name="one_stock_place_of_a_role",
            ),
        ]


class Move(models.Model):
    """Numbers of a kind taken from one place to another; without a source, from the vendor."""

    kind = models.ForeignKey(Kind, models.PROTECT, related_name="moves")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    source = models.ForeignKey(Place, models.PROTECT, null=True, related_name="+")
    target = models.ForeignKey(Place, models.PROTECT, related_name="+")
    moved_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    second = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    moved_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first__gte=0, last__gte=models.F("first")),
                name="stock_move_from_first_to_last",
            ),
            models.CheckConstraint(
                condition=models.Q(source=None) | ~models.Q(source=models.F("target")),
                name="stock_moves_elsewhere",
            ),
            models.CheckConstraint(
                condition=models.Q(second=None) | ~models.Q(second=models.F("moved_by")),
                name="stock_move_second_is_another",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "first", "last"], name="stock_move_numbers"),
            models.Index(fields=["moved_at"], name="stock_move_time"),
        ]


class Held(models.Model):
    """Numbers that are at a place now; kept by the trigger on moves alone."""

    kind = models.ForeignKey(Kind, models.PROTECT, related_name="+")
    place = models.ForeignKey(Place, models.PROTECT, related_name="held")
    numbers = BigIntegerRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="stock_number_at_one_place",
                expressions=[
                    ("kind", RangeOperators.EQUAL),
                    ("numbers", RangeOperators.OVERLAPS),
                ],
            )
        ]


class Handover(models.Model):
    """Numbers sent from a place (or the vendor) to another; spans: [first, last] of each range.

    arrived, once accepted: what the receiving person counted. What did not arrive stays under way
    until it is found or declared missing.
    """

    kind = models.ForeignKey(Kind, models.PROTECT, related_name="+")
    source = models.ForeignKey(Place, models.PROTECT, null=True, related_name="+")
    target = models.ForeignKey(Place, models.PROTECT, related_name="+")
    spans = models.JSONField()
    document = models.CharField(max_length=80, blank=True, help_text="Delivery note, bag number")
    sent_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    arrived = models.JSONField(null=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(accepted_by=None) | ~models.Q(accepted_by=models.F("sent_by")),
                name="stock_accepted_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(settled_by=None)
                | (
                    ~models.Q(settled_by=models.F("sent_by"))
                    & ~models.Q(settled_by=models.F("accepted_by"))
                ),
                name="stock_loss_declared_by_a_third",
            ),
        ]


class Count(models.Model):
    """What somebody counted at a place. missing, surplus: spans that differ from what was held.

    last_move: the latest move then; a till is counted when nothing moved there since.
    """

    place = models.ForeignKey(Place, models.PROTECT, related_name="counts")
    kind = models.ForeignKey(Kind, models.PROTECT, related_name="+")
    spans = models.JSONField()
    missing = models.JSONField()
    surplus = models.JSONField()
    counted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    counted_at = models.DateTimeField()
    last_move = models.BigIntegerField(default=0)
    is_settled = models.BooleanField()
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(settled_by=None) | ~models.Q(settled_by=models.F("counted_by")),
                name="stock_difference_settled_by_another",
            )
        ]


class Sale(models.Model):
    """A number that was sold at a drawer, and what was charged for it."""

    session = models.ForeignKey(TillSession, models.PROTECT, related_name="stock_sales")
    kind = models.ForeignKey(Kind, models.PROTECT, related_name="+")
    number = models.BigIntegerField()
    obligation = models.OneToOneField(Obligation, models.PROTECT, related_name="stock_sale")
    sold_at = models.DateTimeField()
    undone_entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "number"],
                condition=models.Q(undone_at=None),
                name="stock_number_sold_once",
            )
        ]
