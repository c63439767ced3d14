"""The one ledger.

An **account** is a customer's. A **charge** is what the account owes. An **entry** says who did
what, when and from what document, on a **business day** of a center. Its **transfers** each move
a positive number of cents from one **ledger account** (credited) to another (debited). What is
open on a charge is its amount less its **settlement**; what an account owes, and what it has in
credit, is its **balance**.

What holds, whoever writes (see `sql/guards.sql`):
- accounts, charges, entries and transfers are never updated or deleted;
- nothing is posted on a business day that is not open;
- 0 <= settled <= amount for each charge; 0 <= owed and 0 <= credit for each account;
- what charges and transfers refer to exists (`sql/references.sql`, which stands in for foreign
  keys there);
- settlements and balances are the sums over the transfers, kept by triggers alone.
"""

from django.db import models

from chamberlain.identity.models import Center, User


class LedgerAccount(models.Model):
    """An account of the general ledger. Control accounts stand for the sum of open items."""

    class Kind(models.TextChoices):
        ASSET = "asset", "Asset"
        LIABILITY = "liability", "Liability"
        REVENUE = "revenue", "Revenue"
        EXPENSE = "expense", "Expense"

    class Control(models.TextChoices):
        NONE = "none", "No"
        CHARGES = "charges", "Open charges"
        CREDITS = "credits", "Customers' credits"

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind)
    control = models.CharField(max_length=8, choices=Control, default=Control.NONE)
    center = models.ForeignKey(Center, models.PROTECT, null=True)


class ChargeKind(models.Model):
    """What a charge is for: which control account it stands in, which account earns it."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    receivable = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="+")
    revenue = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="+")
    priority = models.SmallIntegerField(help_text="The lowest is paid first")


class Account(models.Model):
    """A customer account: what every kind of revenue is owed on. Its holder is in the registry."""

    number = models.CharField(max_length=24, unique=True)
    opened_on = models.DateField()


class BusinessDay(models.Model):
    """A day on which a center posts. Closing seals it with a digest over all of its entries."""

    center = models.ForeignKey(Center, models.PROTECT)
    day = models.DateField()
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["center", "day"], name="one_business_day_of_a_center"),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, closed_by=None)
                | models.Q(closed_at__isnull=False, closed_by__isnull=False),
                name="closed_day_has_a_closer",
            ),
        ]


class Entry(models.Model):
    """One thing that was done. Its transfers are in the ledger for as long as it is."""

    business_day = models.ForeignKey(BusinessDay, models.PROTECT)
    kind = models.CharField(max_length=24)
    actor = models.ForeignKey(User, models.PROTECT, db_index=False)
    posted_at = models.DateTimeField()
    document = models.CharField(max_length=40, help_text="The number of the document it is from")
    reason = models.CharField(max_length=200, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    idempotency_key = models.CharField(max_length=64, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key"], name="one_entry_of_a_key"),
        ]


class Charge(models.Model):
    """Something that an account owes since `raised_on` and should pay by `due_on`."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False)
    kind = models.ForeignKey(ChargeKind, models.PROTECT, db_index=False, db_constraint=False)
    entry = models.ForeignKey(Entry, models.PROTECT, db_index=False, db_constraint=False)
    cents = models.BigIntegerField()
    raised_on = models.DateField()
    due_on = models.DateField()
    document = models.CharField(max_length=40, help_text="Bill, citation or application number")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="charge_positive"),
            models.CheckConstraint(
                condition=models.Q(due_on__gte=models.F("raised_on")),
                name="charge_due_after_raised",
            ),
        ]


class Transfer(models.Model):
    """Cents moved from the credited to the debited ledger account.

    effect: what it does to a charge: `raise` makes it owed, `settle` lowers what is open,
    `unsettle` opens again what a settlement closed, `none` touches no charge.
    """

    class Effect(models.TextChoices):
        NONE = "none"
        RAISE = "raise"
        SETTLE = "settle"
        UNSETTLE = "unsettle"

    entry = models.ForeignKey(Entry, models.PROTECT, db_constraint=False)
    debit = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    credit = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    cents = models.BigIntegerField()
    effect = models.CharField(max_length=8, choices=Effect)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, db_index=False, db_constraint=False
    )
    charge = models.ForeignKey(
        Charge, models.PROTECT, null=True, db_index=False, db_constraint=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="transfer_positive"),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="transfer_between_two_accounts"
            ),
            models.CheckConstraint(
                condition=models.Q(effect="none", charge=None)
                | models.Q(
                    effect__in=["raise", "settle", "unsettle"],
                    charge__isnull=False,
                    account__isnull=False,
                ),
                name="transfer_effect_names_its_charge",
            ),
            models.UniqueConstraint(
                fields=["charge"], condition=models.Q(effect="raise"), name="charge_raised_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["charge"],
                condition=models.Q(effect__in=["settle", "unsettle"]),
                name="transfer_settling_charge",
            ),
            models.Index(
                fields=["account"],
                condition=models.Q(
                    effect__in=["none", "settle", "unsettle"], account__isnull=False
                ),
                name="transfer_of_account",
            ),
        ]


class Settlement(models.Model):
    """How much of a charge is settled. Kept by a trigger; a charge without a row is all open."""

    charge = models.OneToOneField(Charge, models.PROTECT, primary_key=True, db_constraint=False)
    cents = models.BigIntegerField(help_text="The charge's amount")
    settled_cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(settled_cents__gte=0, settled_cents__lte=models.F("cents")),
                name="charge_not_over_settled",
            )
        ]


class Balance(models.Model):
    """What an account owes in all, and its credit. Kept by a trigger."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True)
    owed_cents = models.BigIntegerField()
    credit_cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(owed_cents__gte=0), name="balance_owed_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(credit_cents__gte=0), name="credit_not_overdrawn"
            ),
        ]


class EntryDigest(models.Model):
    """SHA-256 over an entry with its transfers and charges, taken when its day closed."""

    entry = models.OneToOneField(Entry, models.PROTECT, primary_key=True)
    digest = models.BinaryField()


class DayDigest(models.Model):
    """SHA-256 over the previous closed day's digest and this day's entry digests, in order."""

    business_day = models.OneToOneField(BusinessDay, models.PROTECT, primary_key=True)
    previous = models.OneToOneField("self", models.PROTECT, null=True, related_name="next")
    digest = models.BinaryField()
    entries = models.IntegerField()
