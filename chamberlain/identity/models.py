"""Who works here, where, and as what.

A **user** holds **roles**, each for one **center** or for the whole city, from a day to a day.
An **API token** acts as a user, within scopes.
"""

import pghistory
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Coalesce


class Role(models.TextChoices):
    """The roles of the office."""

    CASHIER = "cashier", "Cashier"
    CLERK = "clerk", "Clerk"
    ACCOUNTS_SUPERVISOR = "accounts_supervisor", "Supervisor of customer accounts"
    CENTER_SUPERVISOR = "center_supervisor", "Center supervisor"
    COORDINATOR = "coordinator", "Coordinator of payment services"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "Administrator"


@pghistory.track()
class Center(models.Model):
    """A place with business days of its own: a payment center, or the revenue office itself."""

    class Kind(models.TextChoices):
        PAYMENT_CENTER = "payment_center", "Payment center"
        REVENUE_OFFICE = "revenue_office", "Revenue office"

    code = models.CharField(max_length=8, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.PAYMENT_CENTER)
    address = models.CharField(max_length=160, blank=True)
    phone = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["payment_center", "revenue_office"]),
                name="center_kind_known",
            )
        ]


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractUser):
    """A person, or a part of the program, who does things and answers for them."""

    display_name = models.CharField(max_length=120)
    is_program = models.BooleanField(default=False)
    must_change_password = models.BooleanField(
        default=False, help_text="Set when another person chose the password"
    )
    password_set_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.display_name or self.username


@pghistory.track()
class RoleAssignment(models.Model):
    """A role that a user holds at a center (or, without one, everywhere), for a range of days."""

    user = models.ForeignKey(User, models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=24, choices=Role)
    center = models.ForeignKey(Center, models.PROTECT, null=True, blank=True)
    period = DateRangeField()
    granted_by = models.ForeignKey(User, models.PROTECT, related_name="granted")

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="role_assigned_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (Coalesce("center", 0), RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="assigned_role_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(user=models.F("granted_by")), name="role_not_granted_to_oneself"
            ),
        ]


@pghistory.track(exclude=["digest", "last_used_at"])
class ApiToken(models.Model):
    """A key for programs. Only its digest is kept; it acts as its user, within its scopes."""

    user = models.ForeignKey(User, models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.BinaryField(unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
