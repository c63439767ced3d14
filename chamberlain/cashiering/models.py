"""Tills, and the money taken at them.

A **till session** is a cashier's drawer on a business day: opened with a counted float, closed
blind by a count of denominations. A **receipt** is one payment: its **tenders** say how it was
paid, its entry in the ledger what it settled. A **count** is a counted drawer. A **drop** takes
cash out of a drawer that got too full. A **no sale** opens a drawer without a payment. A **parked
basket** waits for its customer. A **void request** asks another person to undo a receipt.

What holds, whoever writes (see `sql/guards.sql`):
- a receipt never changes, but for the fields that say how it was voided, once;
- tenders, counts, drops, no sales and prints are never changed or deleted;
- a closed session changes only by being verified, by another person than its cashier and closer;
- a void is decided by another person than the one who asked, and not by the cashier.
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
    drawer_cents = models.BigIntegerField(
        default=0, help_text="Cash that should lie in the drawer now, with the float"
    )
    last_number = models.IntegerField(default=0, help_text="Receipts of the till on this day")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    expected_cash_cents = models.BigIntegerField(null=True)
    counted_cash_cents = models.BigIntegerField(null=True)
    expected_check_cents = models.BigIntegerField(null=True)
    counted_check_cents = models.BigIntegerField(null=True)
    expected_money_order_cents = models.BigIntegerField(null=True)
    counted_money_order_cents = models.BigIntegerField(null=True)
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
                condition=models.Q(verified_by=None)
                | (
                    ~models.Q(verified_by=models.F("cashier"))
                    & ~models.Q(verified_by=models.F("closed_by"))
                ),
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

    number = models.CharField(max_length=40)
    session = models.ForeignKey(TillSession, models.PROTECT, related_name="receipts")
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="receipt")
    payer_account = models.ForeignKey(Account, models.PROTECT)
    total_cents = models.BigIntegerField()
    tendered_cents = models.BigIntegerField()
    change_cents = models.BigIntegerField()
    taken_at = models.DateTimeField()
    void_entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    void_approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    total_cents__gt=0,
                    change_cents__gte=0,
                    tendered_cents=models.F("total_cents") + models.F("change_cents"),
                ),
                name="receipt_adds_up",
            ),
            models.UniqueConstraint(fields=["number"], name="one_receipt_of_a_number"),
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


class VoidRequest(models.Model):
    """A wish to undo a receipt, and what another person decided about it."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="void_requests")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    is_approved = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["receipt"], condition=models.Q(decided_at=None), name="void_asked_once"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("asked_by")),
                name="void_decided_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None, decided_at=None, is_approved=None)
                | models.Q(
                    decided_by__isnull=False, decided_at__isnull=False, is_approved__isnull=False
                ),
                name="void_decided_whole",
            ),
        ]


class Drop(models.Model):
    """Cash taken out of a drawer into the center's safe by another person than the cashier."""

    session = models.ForeignKey(TillSession, models.PROTECT, related_name="drops")
    cents = models.BigIntegerField()
    bag_number = models.CharField(max_length=40)
    taken_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="drop_positive")
        ]


class ParkedBasket(models.Model):
    """A basket that was put aside, with all that was typed; picked up once, by anybody there."""

    center = models.ForeignKey(Center, models.PROTECT, related_name="parked_baskets")
    note = models.CharField(max_length=80, blank=True)
    typed = models.JSONField()
    parked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    parked_at = models.DateTimeField()
    picked_up_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    picked_up_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["center"],
                condition=models.Q(picked_up_at=None),
                name="parked_baskets_waiting",
            )
        ]


class NoSale(models.Model):
    """A drawer that was opened without a payment, and why."""

    session = models.ForeignKey(TillSession, models.PROTECT, related_name="no_sales")
    reason = models.CharField(max_length=120)
    opened_at = models.DateTimeField()


class ReceiptPrint(models.Model):
    """A receipt that came out of a printer. The first is the original, every other a copy."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="prints")
    printed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    printed_at = models.DateTimeField()
