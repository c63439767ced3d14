"""Journals for the city's general ledger.

A **journal** is a closed business day of a center: what each of our accounts was debited and
credited with. It is made once and never changed, so that whatever is taken from it is the same each
time; a mistake of that day is put right by entries of a later day, which are in that day's journal.
A **mapping** says which account of the general ledger one of ours is.
"""

import pghistory
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import BusinessDay, LedgerAccount


@pghistory.track()
class Mapping(models.Model):
    """Accounts whose code begins so are this account of the general ledger; the longest fits."""

    begins = models.CharField(max_length=24, unique=True)
    account = models.CharField(max_length=60)
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


class Journal(models.Model):
    """A business day as the general ledger gets it. number: `J-000001`, without a gap."""

    number = models.CharField(max_length=16, unique=True)
    business_day = models.OneToOneField(BusinessDay, models.PROTECT, related_name="journal")
    cents = models.BigIntegerField(help_text="All debits, which are all credits")
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()


class JournalLine(models.Model):
    """What an account was debited and credited with on the day. account: of the general ledger."""

    journal = models.ForeignKey(Journal, models.PROTECT, related_name="lines")
    ledger_account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="+")
    account = models.CharField(max_length=60)
    debit_cents = models.BigIntegerField()
    credit_cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["journal", "ledger_account"], name="journal_line_of_an_account"
            ),
            models.CheckConstraint(
                condition=models.Q(debit_cents__gte=0, credit_cents__gte=0),
                name="journal_line_not_negative",
            ),
        ]
