"""Payments on a provider's page.

An **intent** is what a holder set out to pay: it is made before the provider is asked, and its
account, amount and holder never change. A **notice** is what the provider told of it, signed; each
is kept once, with what came of it, and never changed. The money that came is an entry of the
ledger, one for each intent.
"""

from django.db import models

from chamberlain.ledger.models import Account, Entry


class Intent(models.Model):
    """What somebody set out to pay. held_since: the first day of the holder whose charges it pays.

    reference: ours, told to the provider; session_id: the provider's name of its page.
    provider_payment: the provider's number of the payment, once it says that it was made.
    """

    class Status(models.TextChoices):
        STARTED = "started", "Provider not asked yet"
        SENT = "sent", "At the provider"
        PAID = "paid", "Paid, waits for an open day"
        POSTED = "posted", "Posted"
        FAILED = "failed", "Not paid"

    reference = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    held_since = models.DateField()
    cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=7, choices=Status, default=Status.STARTED)
    session_id = models.CharField(max_length=80, null=True, unique=True)
    page_url = models.CharField(max_length=500, blank=True)
    provider_payment = models.CharField(max_length=40, blank=True)
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    sentence = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                name="hosted_under_way",
                condition=models.Q(status__in=["started", "sent", "paid"]),
            )
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="intent_positive"),
            models.CheckConstraint(
                condition=models.Q(status="posted", entry__isnull=False)
                | (~models.Q(status="posted") & models.Q(entry=None)),
                name="intent_posted_has_its_entry",
            ),
        ]


class Notice(models.Model):
    """What the provider told, and what came of it. event_id: the provider's, each kept once."""

    class Outcome(models.TextChoices):
        POSTED = "posted", "Posted"
        WAITS = "waits", "Waits for an open day"
        FAILED = "failed", "Not paid"
        NOTHING_NEW = "nothing_new", "Told nothing new"
        UNKNOWN = "unknown", "Belongs to no payment of ours"
        WRONG_AMOUNT = "wrong_amount", "Another amount than was asked"
        WRONG_CURRENCY = "wrong_currency", "Another currency than was asked"
        PAID_AGAIN = "paid_again", "Paid once more"
        NOT_POSTED = "not_posted", "Could not be posted"

    event_id = models.CharField(max_length=80, unique=True)
    intent = models.ForeignKey(Intent, models.PROTECT, null=True, related_name="notices")
    reference = models.CharField(max_length=80)
    session_id = models.CharField(max_length=80)
    provider_payment = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=16)
    cents = models.BigIntegerField()
    currency = models.CharField(max_length=8)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=14, choices=Outcome)

    class Meta:
        indexes = [
            models.Index(
                fields=["-received_at"],
                name="hosted_to_look_at",
                condition=models.Q(
                    outcome__in=[
                        "unknown",
                        "wrong_amount",
                        "wrong_currency",
                        "paid_again",
                        "not_posted",
                    ]
                ),
            )
        ]
