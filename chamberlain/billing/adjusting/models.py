"""Adjustments of customer accounts.

A **reason** is the city's, dated: what it is for, and who approves how much. An **adjustment** is
asked for by one person and decided by another; the approval posts its entry. A **batch** is many
adjustments of one reason from one file, decided together.

What holds, whoever writes (see `sql/guards.sql`): what was asked for is never changed, a decision
is made once, and nobody approves what they asked for themselves.
"""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

from chamberlain.billing.adjusting.kinds import KINDS
from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, Charge, Entry

_KINDS = list(KINDS)
_MOVES = [code for code, row in KINDS.items() if row.moves]


@pghistory.track()
class AdjustmentReason(models.Model):
    """Why an account may be adjusted, from a day on; ends_on is the first day without it.

    charge_kinds: which charges it may settle, all when empty. largest_credit_cents: the most
    credit that it may leave on the account. needs_nothing_owed: only where nothing is owed.
    untouched_months: only for credit that nothing moved for so many months.
    approvals: steps of `up_to_cents` and `roles`; the last is the largest adjustment.
    """

    code = models.CharField(max_length=24)
    kind = models.CharField(max_length=24)
    name = models.CharField(max_length=80)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    charge_kinds = ArrayField(models.CharField(max_length=24), default=list)
    largest_credit_cents = models.BigIntegerField(default=0)
    needs_nothing_owed = models.BooleanField(default=False)
    untouched_months = models.SmallIntegerField(null=True)
    approvals = models.JSONField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "starts_on"], name="adjustment_reason_once_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=_KINDS), name="adjustment_reason_kind_known"
            ),
        ]


class AdjustmentFile(models.Model):
    """A file that was looked at and not asked for yet; it goes when it is asked for or dropped."""

    reason = models.ForeignKey(AdjustmentReason, models.PROTECT)
    file_name = models.CharField(max_length=120)
    content = models.BinaryField()
    note = models.CharField(max_length=200, blank=True)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()


class AdjustmentBatch(models.Model):
    """A file of adjustments of one reason. digest: SHA-256 of the file."""

    number = models.CharField(max_length=16, unique=True)
    reason = models.ForeignKey(AdjustmentReason, models.PROTECT)
    file_name = models.CharField(max_length=120)
    digest = models.BinaryField()
    rows = models.IntegerField()
    cents = models.BigIntegerField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rows__gt=0, cents__gt=0), name="adjustment_batch_not_empty"
            ),
        ]


@pghistory.track()
class Adjustment(models.Model):
    """One adjustment. note: why, in the words of who asked; decision: in those of who decided."""

    class Status(models.TextChoices):
        ASKED = "asked", "Waits for approval"
        POSTED = "posted", "Posted"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    number = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=24)
    reason = models.ForeignKey(AdjustmentReason, models.PROTECT)
    account = models.ForeignKey(Account, models.PROTECT, related_name="adjustments")
    other_account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="adjustments_in"
    )
    payment = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+")
    batch = models.ForeignKey(
        AdjustmentBatch, models.PROTECT, null=True, related_name="adjustments"
    )
    cents = models.BigIntegerField()
    note = models.CharField(max_length=200)
    status = models.CharField(max_length=9, choices=Status, default=Status.ASKED)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=200, blank=True)
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    idempotency_key = models.CharField(max_length=80, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="adjustment_positive"),
            models.CheckConstraint(
                condition=models.Q(kind__in=_KINDS), name="adjustment_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="asked", decided_by=None, decided_at=None, entry=None)
                | models.Q(
                    status="posted",
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    entry__isnull=False,
                )
                | models.Q(
                    status__in=["refused", "withdrawn"],
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    entry=None,
                ),
                name="adjustment_posted_when_approved",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["posted", "refused"])
                | ~models.Q(decided_by=models.F("asked_by")),
                name="adjustment_decided_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=_MOVES, other_account__isnull=False)
                & ~models.Q(other_account=models.F("account"))
                | ~models.Q(kind__in=_MOVES) & models.Q(other_account=None),
                name="adjustment_moves_to_another",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="misapplied_payment", payment__isnull=False)
                | ~models.Q(kind="misapplied_payment") & models.Q(payment=None),
                name="adjustment_names_its_payment",
            ),
            models.UniqueConstraint(fields=["batch", "account"], name="adjustment_once_in_a_batch"),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(status="asked"), name="adjustment_waiting"
            ),
            models.Index(
                fields=["-decided_at", "-id"],
                condition=~models.Q(status="asked"),
                name="adjustment_decided",
            ),
        ]


class AdjustmentCharge(models.Model):
    """A charge that an adjustment was asked for; without any, the open ones in order of payment."""

    adjustment = models.ForeignKey(Adjustment, models.PROTECT, related_name="charges")
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="+", db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["adjustment", "charge"], name="charge_once_in_an_adjustment"
            )
        ]


class RefundPayment(models.Model):
    """A refund that was paid out. reference: the number of the check or of the transfer."""

    adjustment = models.OneToOneField(
        Adjustment, models.PROTECT, primary_key=True, related_name="paid_out"
    )
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="+")
    reference = models.CharField(max_length=40)
    paid_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    paid_at = models.DateTimeField()
