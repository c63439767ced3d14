"""The money that the bank really got, held against what was taken.

A **deposit** takes a center's day to the bank. A **bank file** is stored by its hash and read
once into **statements** of the city's **bank accounts** with their **lines**. A later statement
of the same account and day replaces the earlier one. A **match** says which line is which deposit
and why. A **reconciliation** of a day is prepared by one person and signed by another; after that
it stays (see `sql/guards.sql`).
"""

from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import BusinessDay, Entry


class Deposit(models.Model):
    """Money of a business day, by tender, in a bag, on its way to the bank."""

    number = models.CharField(max_length=40, unique=True)
    business_day = models.ForeignKey(BusinessDay, models.PROTECT, related_name="deposits")
    tender_kind = models.CharField(max_length=12)
    cents = models.BigIntegerField()
    bag_number = models.CharField(max_length=40)
    entry = models.OneToOneField(Entry, models.PROTECT)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="deposit_positive"),
        ]


class BankAccount(models.Model):
    """An account of the city at a bank. Files of other accounts are not read."""

    number = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)


class BankFile(models.Model):
    """A file as the bank sent it, known by its SHA-256."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    content = models.BinaryField()
    read_at = models.DateTimeField()
    read_by = models.ForeignKey(User, models.PROTECT, related_name="+")


class Statement(models.Model):
    """A bank account's day as a file tells it, until a later file tells it again."""

    file = models.ForeignKey(BankFile, models.PROTECT, related_name="statements")
    bank_account = models.ForeignKey(BankAccount, models.PROTECT, related_name="statements")
    as_of = models.DateField()
    opening_cents = models.BigIntegerField(null=True)
    closing_cents = models.BigIntegerField(null=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bank_account", "as_of"],
                condition=models.Q(replaces=None),
                name="day_of_account_first_told_once",
            )
        ]


class BankLine(models.Model):
    """One movement on the city's bank account; credits are positive.

    same_as: the line of the replaced statement that this one repeats and that is matched already.
    """

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines")
    same_as = models.OneToOneField("self", models.PROTECT, null=True, related_name="repeated_by")
    position = models.IntegerField()
    value_on = models.DateField()
    cents = models.BigIntegerField()
    type_code = models.CharField(max_length=12)
    bank_reference = models.CharField(max_length=80, blank=True)
    customer_reference = models.CharField(max_length=80, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "position"], name="bank_line_once_in_its_statement"
            )
        ]


class Match(models.Model):
    """A deposit found on a bank line, and why they are thought to be the same money."""

    deposit = models.OneToOneField(Deposit, models.PROTECT, related_name="match")
    line = models.OneToOneField(BankLine, models.PROTECT, related_name="match")
    reason = models.CharField(max_length=200)
    entry = models.OneToOneField(Entry, models.PROTECT)
    matched_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    matched_at = models.DateTimeField()


class Reconciliation(models.Model):
    """A center's business day, taken against deposits and bank, prepared and then signed."""

    business_day = models.OneToOneField(BusinessDay, models.PROTECT, related_name="reconciliation")
    receipts_cents = models.BigIntegerField()
    over_short_cents = models.BigIntegerField()
    deposits_cents = models.BigIntegerField()
    bank_cents = models.BigIntegerField()
    note = models.CharField(max_length=400, blank=True)
    prepared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()
    signed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(signed_by=None) | ~models.Q(signed_by=models.F("prepared_by")),
                name="reconciliation_signed_by_another",
            )
        ]
