"""Letters: **templates**, whose versions are approved by a second person, and **letters** as sent.

A version's wording is never changed; a new wording is a new version. A letter keeps the text, the
values that were merged and the digest of its file, and is never changed or deleted (`sql/`).
"""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account


class Template(models.Model):
    """A version of a template in a language, in use from starts_on once it is approved.

    is_of_city: it came with the city's files, which an administrator loads.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Waits for approval"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"

    code = models.CharField(max_length=24)
    name = models.CharField(max_length=80)
    language = models.CharField(max_length=10)
    version = models.SmallIntegerField()
    starts_on = models.DateField()
    subject = models.CharField(max_length=120)
    body = models.TextField()
    source = models.CharField(max_length=300, blank=True)
    is_of_city = models.BooleanField()
    status = models.CharField(max_length=8, choices=Status)
    written_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "language", "version"], name="letter_template_version_once"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None)
                | ~models.Q(decided_by=models.F("written_by")),
                name="letter_template_decided_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(is_of_city=True)
                | models.Q(status="proposed", decided_by=None)
                | models.Q(status__in=["approved", "refused"], decided_by__isnull=False),
                name="letter_template_in_use_was_approved",
            ),
        ]  # fmt: skip


@pghistory.track()
class Batch(models.Model):
    """One letter to many accounts, on one day. asked: how they were chosen, in words."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"

    code = models.CharField(max_length=24)
    day = models.DateField()
    free_paragraph = models.TextField(blank=True)
    asked = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=Status, default=Status.PLANNED)
    stop_requested = models.BooleanField(default=False)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=64, unique=True)


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


class Letter(models.Model):
    """A letter as it was sent. digest: SHA-256 of its PDF, under which the file is stored.

    addressed_to: the lines of the address. is_paperless: the holder chose e-mail.
    """

    number = models.CharField(max_length=16, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="letters")
    template = models.ForeignKey(Template, models.PROTECT)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, related_name="letters")
    written_on = models.DateField()
    addressed_to = ArrayField(models.CharField(max_length=240))
    is_paperless = models.BooleanField()
    subject = models.CharField(max_length=400)
    text = models.TextField()
    values = models.JSONField()
    free_paragraph = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    sent_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digest__regex="^[0-9a-f]{64}$"), name="letter_digest_is_sha256"
            ),
            models.UniqueConstraint(fields=["batch", "account"], name="letter_once_in_a_batch"),
        ]
