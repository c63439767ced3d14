"""Tills, and the money taken at them.

A **till session** is a cashier's drawer on a business day: opened with a counted float, closed
blind by a count of denominations. A **receipt** is one payment: its **tenders** say how it was
paid, its entry in the ledger what it settled. A **count** is a counted drawer.
"""

from django.db import models

from chamberlain.identity.models import Center, User
from chamberlain.ledger.models import Account, BusinessDay, Entry


class Till(models.Model):
    """A place at a center where money is taken."""

    center = models.ForeignKey(Center, models.PROTECT, related_name="tills")
    code = models.CharField(max_length=16, unique=True)
    cash_limit_cents = models.BigIntegerField(default=500_000)
    printer_address = models.CharField(max_length=120, blank=True)


class TillSession(models.Model):
    """One cashier's drawer, from opening to closing."""

    till = models.ForeignKey(Till, models.PROTECT, related_name="sessions")
    business_day = models.ForeignKey(BusinessDay, models.PROTECT, related_name="till_sessions")
    cashier = models.ForeignKey(User, models.PROTECT, related_name="till_sessions")
    opened_at = models.DateTimeField()
    float_cents = models.BigIntegerField()
    closed_at = models.DateTimeField(null=True)
    expected_cash_cents = models.BigIntegerField(null=True)
    counted_cash_cents = models.BigIntegerField(null=True)
    counted_check_cents = models.BigIntegerField(null=True)
    closing_entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    verified_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["till"], condition=models.Q(closed_at=None), name="till_open_once"
            ),
            models.UniqueConstraint(
                fields=["cashier"], condition=models.Q(closed_at=None), name="cashier_at_one_till"
            ),
            models.CheckConstraint(
                condition=models.Q(float_cents__gte=0), name="float_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(verified_by=None) | ~models.Q(verified_by=models.F("cashier")),
                name="till_verified_by_another",
            ),
        ]


class Count(models.Model):
    """How many of each denomination were in a drawer, at opening or closing."""

    class Moment(models.TextChoices):
        OPENING = "opening", "Opening"
        CLOSING = "closing", "Closing"

    session = models.ForeignKey(TillSession, models.PROTECT, related_name="counts")
    moment = models.CharField(max_length=8, choices=Moment)
    denomination_cents = models.IntegerField()
    pieces = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "moment", "denomination_cents"], name="denomination_counted_once"
            ),
            models.CheckConstraint(
                condition=models.Q(pieces__gte=0, denomination_cents__gt=0),
                name="count_not_negative",
            ),
        ]


class Receipt(models.Model):
    """One payment taken at a till. `payer_account` is the account it was looked up by."""

    number = models.CharField(max_length=24, unique=True)
    session = models.ForeignKey(TillSession, models.PROTECT, related_name="receipts")
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="receipt")
    payer_account = models.ForeignKey(Account, models.PROTECT)
    total_cents = models.BigIntegerField()
    tendered_cents = models.BigIntegerField()
    change_cents = models.BigIntegerField()
    taken_at = models.DateTimeField()
    void_entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    void_approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    total_cents__gt=0,
                    change_cents__gte=0,
                    tendered_cents=models.F("total_cents") + models.F("change_cents"),
                ),
                name="receipt_adds_up",
            )
        ]


class Tender(models.Model):
    """What was handed over: cash, a check with its number, or a card by its authorization."""

    class Kind(models.TextChoices):
        CASH = "cash", "Cash"
        CHECK = "check", "Check"
        MONEY_ORDER = "money_order", "Money order"
        CARD = "card", "Card"

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="tenders")
    kind = models.CharField(max_length=12, choices=Kind)
    cents = models.BigIntegerField()
    reference = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="tender_positive"),
            models.CheckConstraint(
                condition=models.Q(kind="cash") | ~models.Q(reference=""),
                name="tender_other_than_cash_has_a_reference",
            ),
        ]
