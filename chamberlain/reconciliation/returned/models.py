"""Returned items.

A **returned item** is a tender whose money the bank took back: its entry opens what it had settled
again. `line` is where the bank's statement shows it. What holds, whoever writes (see
`sql/guards.sql`): an item is entered once, by another person than the cashier, and changes only by
being found on the bank's statement, once.
"""

from django.db import models

from chamberlain.cashiering.models import Tender
from chamberlain.identity.models import User
from chamberlain.ledger.models import Entry
from chamberlain.reconciliation.models import BankLine
from chamberlain.revenue.models import Obligation


class ReturnedItem(models.Model):
    """A tender that came back, what it cost the customer, and the line of the bank."""

    class Reason(models.TextChoices):
        FUNDS = "funds", "Not enough funds"
        CLOSED = "closed", "Account closed or unknown"
        STOPPED = "stopped", "Payment stopped"
        ALTERED = "altered", "Altered, forged or not signed"
        CHARGEBACK = "chargeback", "Card charged back"

    tender = models.OneToOneField(Tender, models.PROTECT, related_name="returned")
    reason = models.CharField(max_length=10, choices=Reason)
    note = models.CharField(max_length=160, blank=True)
    returned_on = models.DateField()
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="+")
    fee = models.OneToOneField(Obligation, models.PROTECT, null=True, related_name="+")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    line = models.OneToOneField(BankLine, models.PROTECT, null=True, related_name="returned")
    line_entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    found_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    found_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(line=None, line_entry=None, found_by=None, found_at=None)
                | models.Q(
                    line__isnull=False,
                    line_entry__isnull=False,
                    found_by__isnull=False,
                    found_at__isnull=False,
                ),
                name="returned_item_found_whole",
            )
        ]
