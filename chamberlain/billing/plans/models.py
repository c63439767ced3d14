"""Payment plans: open charges that a customer pays off in instalments.

**Terms** are the city's, dated. A **plan** is for an account and covers **plan charges**, each
with the cents that were open when it was offered. Its **instalments** add up to the plan, to the
cent. A plan keeps no money of its own: what was paid on it is what its charges were settled by
since. While a plan is **in force** its charges draw no penalty; a plan in default may be
**reinstated**, asked for by one person and approved by another.
"""

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, Charge


@pghistory.track()
class PlanTerms(models.Model):
    """What a kind of plan allows from a day on; ends_on is the first day without it.

    down_payment_basis_points: 0 when the first instalment is the down payment. Up to
    longer_instalments are allowed where the longest otherwise allowed would leave each above
    longer_above_cents. grace_days: days after its due date until an instalment is late.
    approvals: steps of `up_to_cents` and `roles`, by amount; without roles nobody else needs to
    approve.
    """

    code = models.CharField(max_length=24)
    name = models.CharField(max_length=80)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    charge_kinds = ArrayField(models.CharField(max_length=24))
    down_payment_basis_points = models.IntegerField()
    longest_instalments = models.SmallIntegerField()
    longer_instalments = models.SmallIntegerField(null=True)
    longer_above_cents = models.BigIntegerField(null=True)
    interval_months = models.SmallIntegerField()
    smallest_plan_cents = models.BigIntegerField()
    smallest_instalment_cents = models.BigIntegerField()
    grace_days = models.SmallIntegerField()
    needs_new_bills_paid = models.BooleanField()
    reinstatements = models.SmallIntegerField()
    reinstatement_days = models.SmallIntegerField()
    approvals = models.JSONField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "starts_on"], name="plan_terms_once_a_day")
        ]


@pghistory.track()
class Plan(models.Model):
    """A plan of an account. sentence: why it ended or was refused, in words."""

    class Status(models.TextChoices):
        OFFERED = "offered", "Waits for approval"
        IN_FORCE = "in_force", "In force"
        DEFAULTED = "defaulted", "In default"
        KEPT = "kept", "Paid off"
        WITHDRAWN = "withdrawn", "Withdrawn"

    number = models.CharField(max_length=16, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="plans")
    terms = models.ForeignKey(PlanTerms, models.PROTECT)
    status = models.CharField(max_length=9, choices=Status)
    total_cents = models.BigIntegerField()
    starts_on = models.DateField()
    needs_approval = models.BooleanField()
    offered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    offered_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    ended_on = models.DateField(null=True)
    sentence = models.CharField(max_length=300, blank=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["offered", "in_force", "defaulted", "kept",
                                               "withdrawn"]),
                name="plan_status_known",
            ),
            models.CheckConstraint(condition=models.Q(total_cents__gt=0), name="plan_positive"),
            models.CheckConstraint(
                condition=models.Q(approved_by=None)
                | ~models.Q(approved_by=models.F("offered_by")),
                name="plan_approved_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["offered", "withdrawn"])
                | models.Q(needs_approval=False)
                | models.Q(approved_by__isnull=False),
                name="plan_in_force_was_approved",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(status__in=["offered", "in_force"]),
                name="one_plan_of_an_account_at_a_time",
            ),
        ]  # fmt: skip


class PlanCharge(models.Model):
    """Cents of a charge that a plan covers. is_held: the plan waits for approval or is in force."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="charges")
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="+", db_constraint=False)
    cents = models.BigIntegerField()
    is_held = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "charge"], name="charge_once_in_a_plan"),
            models.UniqueConstraint(
                fields=["charge"], condition=models.Q(is_held=True), name="charge_in_one_plan"
            ),
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="plan_charge_positive"),
        ]


class Instalment(models.Model):
    """What is to be paid by when; 0 is a down payment of its own. Never changed."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="instalments")
    number = models.SmallIntegerField()
    due_on = models.DateField()
    cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="instalment_number_once"),
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="instalment_positive"),
        ]


@pghistory.track()
class InForce(models.Model):
    """A range of days in which a plan was in force."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="in_force")
    period = DateRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="plan_in_force_once_at_a_time",
                expressions=[("plan", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
            )
        ]


@pghistory.track()
class Reinstatement(models.Model):
    """A plan in default taken up again: what was due before from_on is due on arrears_due_on."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="reinstatements")
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    from_on = models.DateField(null=True)
    arrears_due_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("asked_by")),
                name="reinstatement_approved_by_another",
            ),
            models.UniqueConstraint(
                fields=["plan"],
                condition=models.Q(approved_at=None, refused_at=None),
                name="reinstatement_asked_once",
            ),
        ]
