"""Checks.

A **check** is a tender of a receipt with what its bottom line said and how it was found good. A
**hold** says whose checks are not taken, by the bank account, the customer's account or both.
**Terms** are the city's rules of checks from a day on.

What holds, whoever writes (see `sql/guards.sql`): a check is never changed, a hold is only ended,
and a check that a service would not accept has the name of another person than its cashier.
"""

import pghistory
from django.db import models

from chamberlain.cashiering.models import Tender
from chamberlain.identity.models import User
from chamberlain.ledger.models import Account


@pghistory.track()
class CheckTerms(models.Model):
    """The city's rules of checks from a day on.

    verify_from_cents: from this amount the bottom line is needed and the check is verified.
    unreachable_up_to_cents: up to this amount a check is taken when the service does not answer.
    endorsement: lines printed on its back, apart by line ends. returned_fee: code of the fee of a
    check that came back, "" for none.
    """

    starts_on = models.DateField(unique=True)
    verify_from_cents = models.BigIntegerField()
    unreachable_up_to_cents = models.BigIntegerField()
    endorsement = models.CharField(max_length=300)
    returned_fee = models.CharField(max_length=48, blank=True, db_default="")
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


class Check(models.Model):
    """A check that was taken. code, reference: as the check service answered."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", "Accepted by the check service"
        NOT_ASKED = "not_asked", "Below the amount that is verified"
        UNREACHABLE = "unreachable", "Taken by the house rule: the service did not answer"
        APPROVED = "approved", "Approved by a supervisor"

    tender = models.OneToOneField(Tender, models.PROTECT, related_name="check_taken")
    routing = models.CharField(max_length=9)
    account = models.CharField(max_length=17)
    number = models.CharField(max_length=15)
    answer = models.CharField(max_length=11, choices=Answer)
    code = models.CharField(max_length=12, blank=True)
    reference = models.CharField(max_length=40, blank=True)
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answer="approved", approved_by__isnull=False)
                | (~models.Q(answer="approved") & models.Q(approved_by=None)),
                name="check_approved_by_somebody",
            )
        ]
        indexes = [
            models.Index(fields=["routing", "account", "number"], name="check_bank_line"),
            models.Index(fields=["number"], name="check_number"),
        ]


class Hold(models.Model):
    """Whose checks are not taken, from a day on, until it is ended."""

    routing = models.CharField(max_length=9, blank=True)
    bank_account = models.CharField(max_length=17, blank=True)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="check_holds")
    reason = models.CharField(max_length=200)
    put_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    put_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    end_note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(routing="", bank_account="") & models.Q(account__isnull=False))
                | (~models.Q(routing="") & ~models.Q(bank_account="")),
                name="check_hold_of_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_by=None, ended_at=None)
                | models.Q(ended_by__isnull=False, ended_at__isnull=False),
                name="check_hold_ended_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["routing", "bank_account"],
                condition=models.Q(ended_at=None),
                name="check_hold_bank_account",
            )
        ]
