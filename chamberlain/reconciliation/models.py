"""The money that the bank really got, held against what was taken.

A **deposit** takes a center's day to the bank. A **bank file** is stored by its hash and read
once into **statements** of the city's **bank accounts** with their **lines**. A later statement
of the same account and day replaces the earlier one. A **match** says which lines are which
deposits and why; a line that is no deposit is **booked** for what it is, and one that is several
things is split into parts. A **question** asks a center what only it can know. A
**reconciliation** of a day is prepared by one person and signed by another; after that
it stays (see `sql/guards.sql`).
"""

import pghistory
from django.db import models

from chamberlain.identity.models import Center, User
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


class Seal(models.Model):
    """Who closed a deposit's bag together with who made it."""

    deposit = models.OneToOneField(Deposit, models.PROTECT, related_name="seal")
    sealed_with = models.ForeignKey(User, models.PROTECT, related_name="+")
    sealed_at = models.DateTimeField()


class Pickup(models.Model):
    """A courier who took bags of a center away, against a receipt."""

    center = models.ForeignKey(Center, models.PROTECT, related_name="+")
    courier = models.CharField(max_length=80)
    receipt_number = models.CharField(max_length=40)
    handed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    handed_at = models.DateTimeField()


class PickedUp(models.Model):
    """A deposit that a courier took; each once."""

    pickup = models.ForeignKey(Pickup, models.PROTECT, related_name="deposits")
    deposit = models.OneToOneField(Deposit, models.PROTECT, related_name="picked_up")


class BankReceipt(models.Model):
    """What the bank acknowledged for a bag, before it shows on a statement."""

    deposit = models.OneToOneField(Deposit, models.PROTECT, related_name="bank_receipt")
    number = models.CharField(max_length=40)
    cents = models.BigIntegerField()
    received_on = models.DateField()
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()


class BankAccount(models.Model):
    """An account of the city at a bank. Files of other accounts are not read."""

    number = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)


@pghistory.track()
class FileLayout(models.Model):
    """Which column of a bank's CSV is what; see `files.mapped_csv.Layout`."""

    name = models.CharField(max_length=60, unique=True)
    columns = models.JSONField()
    changed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()


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
    part_of: the line that this is a part of, after a person split it.
    """

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines")
    same_as = models.OneToOneField("self", models.PROTECT, null=True, related_name="repeated_by")
    part_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="parts")
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
    """Deposits that are lines of the bank, and why they are thought to be the same money.

    rule and confidence: see `matching.rules`; `by hand` when a person said so. difference_cents:
    what the bank has above (or below) the deposits, posted to over and short or to card fees.
    """

    rule = models.CharField(max_length=12)
    confidence = models.IntegerField()
    difference_cents = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=200)
    entry = models.OneToOneField(Entry, models.PROTECT)
    matched_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    matched_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None)
                | ~models.Q(approved_by=models.F("matched_by")),
                name="match_approved_by_another",
            )
        ]


class MatchedDeposit(models.Model):
    """A deposit of a match; each is in one."""

    match = models.ForeignKey(Match, models.PROTECT, related_name="deposits")
    deposit = models.OneToOneField(Deposit, models.PROTECT, related_name="matched")


class MatchedLine(models.Model):
    """A line of a match; each is in one."""

    match = models.ForeignKey(Match, models.PROTECT, related_name="lines")
    line = models.OneToOneField(BankLine, models.PROTECT, related_name="matched")


class BookedLine(models.Model):
    """A line of the bank that is no deposit, and what it is."""

    class Kind(models.TextChoices):
        FEE = "fee", "Bank fee"
        INTEREST = "interest", "Interest"
        TRANSFER = "transfer", "Transfer between the city's accounts"
        UNKNOWN = "unknown", "Not identified yet"

    line = models.OneToOneField(BankLine, models.PROTECT, related_name="booked")
    kind = models.CharField(max_length=10, choices=Kind)
    reason = models.CharField(max_length=200)
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="+")
    booked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    booked_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("booked_by")),
                name="booked_line_approved_by_another",
            )
        ]


class Question(models.Model):
    """What a center is asked about a deposit or a line of the bank, and its answer."""

    center = models.ForeignKey(Center, models.PROTECT, related_name="+")
    deposit = models.ForeignKey(Deposit, models.PROTECT, null=True, related_name="questions")
    line = models.ForeignKey(BankLine, models.PROTECT, null=True, related_name="questions")
    text = models.CharField(max_length=400)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    answer = models.CharField(max_length=400, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(deposit__isnull=False, line=None)
                | models.Q(deposit=None, line__isnull=False),
                name="question_about_one_thing",
            ),
            models.CheckConstraint(
                condition=models.Q(answer="", answered_by=None, answered_at=None)
                | (
                    ~models.Q(answer="")
                    & models.Q(answered_by__isnull=False, answered_at__isnull=False)
                ),
                name="question_answered_whole",
            ),
        ]


@pghistory.track()
class MatchingTerms(models.Model):
    """The city's rules of matching from a day on; see `terms.Terms`."""

    starts_on = models.DateField(unique=True)
    within_days = models.IntegerField()
    tolerance_cents = models.BigIntegerField()
    confidence = models.IntegerField()
    up_to_cents = models.BigIntegerField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


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


class Reopening(models.Model):
    """A reconciliation whose signature was taken off: what had been signed, and why."""

    reconciliation = models.ForeignKey(Reconciliation, models.PROTECT, related_name="reopenings")
    receipts_cents = models.BigIntegerField()
    over_short_cents = models.BigIntegerField()
    deposits_cents = models.BigIntegerField()
    bank_cents = models.BigIntegerField()
    note = models.CharField(max_length=400, blank=True)
    prepared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()
    signed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    reopened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reopened_at = models.DateTimeField()
