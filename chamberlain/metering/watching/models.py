"""Usage that somebody should look at.

A **watch** looks at all reads since the one before, by the city's dated **terms** and their
**rules**. What a rule finds at a service point is a **finding**: an entry of the worklist, one of
a rule at a time. Each read that shows it is a **sighting**. What people do about a finding is a
**step**; steps are only added.
"""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account
from chamberlain.metering.models import Read
from chamberlain.registry.models import ServicePoint


class RuleCode(models.TextChoices):
    """The rules, by what they find. A code names a pure function of `rules`."""

    HIGH = "high", "High usage"
    LOW = "low", "Low usage"
    ZERO = "zero", "No usage"
    REVERSED = "reversed", "Register went back"
    STOPPED = "stopped", "Meter stopped"
    ESTIMATED = "estimated", "Estimated too often"
    LEAK = "leak", "Leak suspected"


class Severity(models.IntegerChoices):
    """How soon somebody should look."""

    URGENT = 1, "Urgent"
    SOON = 2, "Soon"
    WHEN_THERE_IS_TIME = 3, "When there is time"


@pghistory.track()
class Terms(models.Model):
    """What a watch looks at from a day on, until the terms of a later day.

    look_back_days: reads that ended longer ago are not looked at. usual_days: how far back the
    own usual usage of a service point, and that of its class, is taken from.
    """

    starts_on = models.DateField(unique=True)
    look_back_days = models.IntegerField()
    usual_days = models.IntegerField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(look_back_days__gt=0, usual_days__gt=0),
                name="watch_terms_look_back",
            )
        ]


@pghistory.track()
class Rule(models.Model):
    """A rule under terms, with its thresholds; `rules` says what each figure means.

    holds_bill: the bill of a read that shows it waits until somebody looked. except_types: codes
    of property types that it does not look at.
    """

    terms = models.ForeignKey(Terms, models.CASCADE, related_name="rules")
    code = models.CharField(max_length=12, choices=RuleCode)
    severity = models.SmallIntegerField(choices=Severity)
    holds_bill = models.BooleanField()
    except_types = ArrayField(models.CharField(max_length=24), default=list)
    figures = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["terms", "code"], name="rule_once_under_terms")
        ]


@pghistory.track()
class Resolution(models.Model):
    """How an entry of the worklist may be closed. verifies_reads: the usage is right."""

    code = models.CharField(max_length=24, primary_key=True)
    name = models.CharField(max_length=80)
    verifies_reads = models.BooleanField()
    is_offered = models.BooleanField(default=True)
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()


class Watch(models.Model):
    """One look at the reads with ids above `after_read` up to `up_to_read`.

    It goes through service points in the order of their ids; `looked_up_to` is the last that is
    done, so that a watch that was killed goes on behind it.
    """

    on = models.DateField()
    since = models.DateField(help_text="Reads that ended on or before this day are left out")
    after_read = models.BigIntegerField()
    up_to_read = models.BigIntegerField()
    points = models.IntegerField()
    points_done = models.IntegerField(default=0)
    looked_up_to = models.BigIntegerField(default=0)
    reads = models.IntegerField(default=0)
    found = models.IntegerField(default=0)
    seen_again = models.IntegerField(default=0)
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(finished_at=None), name="one_watch_at_a_time"
            )
        ]


@pghistory.track()
class Finding(models.Model):
    """An entry of the worklist. `version` counts what was done to it, by people and watches."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        FIELD_CHECK = "field_check", "Field check asked for"
        CLOSED = "closed", "Closed"

    class FieldCheck(models.TextChoices):
        REREAD = "reread", "Read the meter again"
        METER = "meter", "Check the meter"

    rule = models.CharField(max_length=12, choices=RuleCode)
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="findings")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="findings")
    property_type = models.CharField(max_length=24)
    severity = models.SmallIntegerField(choices=Severity)
    holds_bill = models.BooleanField()
    found_on = models.DateField()
    seen_on = models.DateField()
    sentence = models.CharField(max_length=240)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    version = models.IntegerField(default=1)
    assigned_to = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    field_check = models.CharField(max_length=8, choices=FieldCheck, blank=True, default="")
    check_by = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    resolution = models.ForeignKey(Resolution, models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service_point", "rule"],
                condition=~models.Q(state="closed"),
                name="found_once_while_open",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state="closed", closed_at__isnull=False, closed_by__isnull=False,
                    resolution__isnull=False,
                ) | (~models.Q(state="closed") & models.Q(closed_at=None, resolution=None)),
                name="finding_closed_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(state="open")
                | models.Q(state="closed")
                | (~models.Q(field_check="") & models.Q(check_by__isnull=False)),
                name="field_check_has_a_day",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["severity", "found_on", "id"],
                condition=~models.Q(state="closed"),
                name="finding_open",
            ),
            models.Index(fields=["-closed_at"], name="finding_closed"),
        ]


class Sighting(models.Model):
    """A read that shows a finding, in words. No read shows the same rule's finding twice.

    daily_thousandths: thousandths of a gallon a day in the read. compared_thousandths: what it was
    held against, null where nothing was.
    """

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="sightings")
    read = models.ForeignKey(Read, models.PROTECT, related_name="+", db_index=False)
    rule = models.CharField(max_length=12, choices=RuleCode)
    daily_thousandths = models.BigIntegerField()
    compared_thousandths = models.BigIntegerField(null=True)
    sentence = models.CharField(max_length=240)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["read", "rule"], name="read_seen_once_by_a_rule")
        ]


class Step(models.Model):
    """What a person did about a finding. A key given twice is the same step."""

    class Kind(models.TextChoices):
        VERIFIED = "verified", "Read verified"
        ASSIGNED = "assigned", "Assigned"
        FIELD_CHECK = "field_check", "Field check asked for"
        NOTED = "noted", "Note"
        CLOSED = "closed", "Closed"

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=Kind)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.CharField(max_length=300, blank=True)
    idempotency_key = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding", "idempotency_key"], name="step_taken_once")
        ]
