"""Final bills: what is still to be billed and settled when a holder moves out.

A **move-out** is of an account, on the first day that is not billed to it. It asks for a **final
read** of each metered service. Whether one was taken is not kept here: a read that reaches the
day, however it came in, is the final read. The bills that end the account are its **final bills**.
"""

import pghistory
from django.db import models

from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.identity.models import User
from chamberlain.ledger.models import Account


@pghistory.track()
class FinalTerms(models.Model):
    """The city's terms from a day on.

    due_days: from the final bill until it is due. usage_days: how far back usage is looked at for
    an estimate. charges_reason, credit_reason: codes of adjustment reasons under which a balance
    is carried to the holder's next account.
    """

    starts_on = models.DateField(unique=True)
    due_days = models.SmallIntegerField()
    usage_days = models.SmallIntegerField()
    charges_reason = models.CharField(max_length=24)
    credit_reason = models.CharField(max_length=24)
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


@pghistory.track()
class MoveOut(models.Model):
    """A holder gave an account up; left_on is the first day that is not billed to it."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="move_outs")
    left_on = models.DateField()
    next_account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", help_text="Takes the balance over"
    )
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    billed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    billed_at = models.DateTimeField(null=True)
    carried_by = models.CharField(
        max_length=60, blank=True, help_text="Numbers of the adjustments that carry the balance"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "left_on"], name="moved_out_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(next_account=None) | ~models.Q(next_account=models.F("account")),
                name="balance_carried_to_another_account",
            ),
            models.CheckConstraint(
                condition=models.Q(billed_at=None, billed_by=None)
                | models.Q(billed_at__isnull=False, billed_by__isnull=False),
                name="final_bill_has_a_maker",
            ),
        ]


@pghistory.track()
class FinalRead(models.Model):
    """An order to read the meter of a service for the last time."""

    move_out = models.ForeignKey(MoveOut, models.PROTECT, related_name="final_reads")
    agreement = models.ForeignKey(ServiceAgreement, models.PROTECT, related_name="+")
    ordered_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["move_out", "agreement"], name="final_read_asked_once")
        ]


class FinalBill(models.Model):
    """A bill that ends an account."""

    move_out = models.ForeignKey(MoveOut, models.PROTECT, related_name="bills")
    bill = models.OneToOneField(Bill, models.PROTECT, related_name="+")
