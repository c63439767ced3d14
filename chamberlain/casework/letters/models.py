"""Templates as the city gave them, letters as they were sent, and batches of them.

A letter keeps its text, what was filled in and the digest of its PDF, which lies with the
documents. A batch lists its accounts when it is asked for; its letters are written part by part.
"""

import pghistory
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account


@pghistory.track()
class Template(models.Model):
    """A kind of letter in one language from a day on. body: paragraphs between empty lines."""

    code = models.CharField(max_length=24)
    language = models.CharField(max_length=2)
    starts_on = models.DateField()
    name = models.CharField(max_length=80)
    subject = models.CharField(max_length=120)
    body = models.TextField()
    takes_note = models.BooleanField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "language", "starts_on"], name="template_once_from_a_day"
            )
        ]


@pghistory.track()
class Batch(models.Model):
    """One letter to many accounts. asked: how they were chosen, in words."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"

    code = models.CharField(max_length=24)
    day = models.DateField(help_text="The day the letters bear")
    note = models.CharField(max_length=600, blank=True)
    asked = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=Status, default=Status.PLANNED)
    stop_requested = models.BooleanField(default=False)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=64, unique=True)


class Letter(models.Model):
    """A letter as it was sent. Never changed.

    values: what was filled in, by field. digest: SHA-256 of the PDF.
    """

    number = models.CharField(max_length=16, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="letters")
    template = models.ForeignKey(Template, models.PROTECT, related_name="+")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, related_name="letters")
    language = models.CharField(max_length=2)
    subject = models.CharField(max_length=160)
    addressee = models.CharField(max_length=120)
    address = models.CharField(max_length=200)
    text = models.TextField()
    values = models.JSONField()
    digest = models.CharField(max_length=64)
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    written_on = models.DateField()
    written_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "account"], name="letter_once_in_a_batch")
        ]


class BatchAccount(models.Model):
    """An account of a batch. left_out: why it gets no letter, "" while it gets one."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="accounts")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    part = models.IntegerField()
    left_out = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "account"], name="account_once_in_a_batch")
        ]
