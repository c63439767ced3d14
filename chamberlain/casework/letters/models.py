"""Letters: **templates**, whose versions are approved by a second person, and **letters** as sent.

A version's wording is never changed; a new wording is a new version. A letter keeps the text, the
values that were merged and the digest of its file, and is never changed or deleted (`sql/`).
"""

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


class Letter(models.Model):
    """A letter as it was sent. digest: SHA-256 of its PDF, under which the file is stored.

    addressed_to: the lines of the address. is_paperless: the holder chose e-mail.
    """

    number = models.CharField(max_length=16, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="letters")
    template = models.ForeignKey(Template, models.PROTECT)
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
        ]
