"""Full payment certificates, without which no real property changes hands.

An **application** is made by the buyer, the seller or an attorney, for an account and a closing
date, under the city's **terms**. For each metered service a **final read** is ordered; an account
without a meter is reviewed. The **payoff** then raises everything up to the closing date as
charges. A **certificate** is issued once all of it is paid; it is never changed, only replaced.
"""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

from chamberlain.billing.models import ServiceAgreement
from chamberlain.identity.models import User
from chamberlain.ledger.models import Account, Charge, ChargeKind
from chamberlain.metering.models import Read
from chamberlain.registry.models import Customer


@pghistory.track()
class CertificateTerms(models.Model):
    """The city's terms from a day on.

    covered_kinds: charge kinds that must be paid. valid_days: how long a certificate is good.
    usage_days: how far back usage is looked at for an estimate. step_days: days that each step
    usually takes. exemptions: from the transfer tax, which spare the fee, by code.
    """

    starts_on = models.DateField(unique=True)
    fee_kind = models.ForeignKey(ChargeKind, models.PROTECT, related_name="+")
    fee_cents = models.BigIntegerField()
    covered_kinds = ArrayField(models.CharField(max_length=24))
    valid_days = models.SmallIntegerField()
    usage_days = models.SmallIntegerField()
    step_days = models.JSONField()
    exemptions = models.JSONField()
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fee_cents__gt=0, valid_days__gt=0, usage_days__gt=0),
                name="certificate_terms_positive",
            )
        ]


@pghistory.track()
class Application(models.Model):
    """An application for a certificate. fee_charge: null while not accepted, or exempt."""

    class Role(models.TextChoices):
        BUYER = "buyer", "Buyer"
        SELLER = "seller", "Seller"
        ATTORNEY = "attorney", "Attorney for the transaction"

    class Stage(models.TextChoices):
        RECEIVED = "received", "Waits for identification"
        ACCEPTED = "accepted", "Final read or review"
        PAYABLE = "payable", "To be paid"
        ISSUED = "issued", "Issued"
        WITHDRAWN = "withdrawn", "Withdrawn"

    number = models.CharField(max_length=16, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="applications")
    terms = models.ForeignKey(CertificateTerms, models.PROTECT, related_name="+")
    stage = models.CharField(max_length=9, choices=Stage, default=Stage.RECEIVED)
    is_from_public = models.BooleanField()
    role = models.CharField(max_length=8, choices=Role)
    applicant = models.CharField(max_length=120)
    phone = models.CharField(max_length=32)
    seller = models.CharField(max_length=120)
    buyer = models.CharField(max_length=120)
    attorney_card = models.CharField(max_length=40, blank=True)
    closing_on = models.DateField()
    exemption = models.CharField(max_length=24, blank=True)
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    fee_charge = models.OneToOneField(Charge, models.PROTECT, null=True, db_constraint=False)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    review = models.CharField(max_length=200, blank=True)
    payoff_at = models.DateTimeField(null=True)
    payoff_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    withdrawn_because = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=["buyer", "seller", "attorney"]),
                name="application_role_known",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    stage__in=["received", "accepted", "payable", "issued", "withdrawn"]
                ),
                name="application_stage_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(stage__in=["accepted", "payable", "issued"])
                | models.Q(accepted_by__isnull=False),
                name="application_worked_on_when_accepted",
            ),
            models.CheckConstraint(
                condition=~models.Q(stage__in=["accepted", "payable", "issued"])
                | models.Q(fee_charge__isnull=False)
                | ~models.Q(exemption=""),
                name="application_fee_or_exemption",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(stage__in=["received", "accepted", "payable"]),
                name="one_application_of_an_account_at_a_time",
            ),
        ]


@pghistory.track()
class FinalRead(models.Model):
    """An order to read a metered service by a day; `read` is what came of it."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="final_reads")
    agreement = models.ForeignKey(ServiceAgreement, models.PROTECT, related_name="+")
    ordered_on = models.DateField()
    wanted_by = models.DateField()
    read = models.ForeignKey(Read, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "agreement", "wanted_by"], name="final_read_ordered_once"
            )
        ]


class PayoffCharge(models.Model):
    """A charge that an application's payoff raised."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="payoff_charges")
    charge = models.OneToOneField(
        Charge, models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )


class Certificate(models.Model):
    """Proof that everything up to closing_on was paid, good before valid_until. Never changed."""

    number = models.CharField(max_length=16, unique=True)
    code = models.CharField(max_length=16)
    application = models.ForeignKey(Application, models.PROTECT, related_name="certificates")
    closing_on = models.DateField()
    valid_until = models.DateField()
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    accepted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    paid_cents = models.BigIntegerField()
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(issued_by=models.F("accepted_by")),
                name="certificate_issued_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until__gt=models.F("issued_on")),
                name="certificate_valid_for_a_day",
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=models.Q(replaces=None),
                name="one_first_certificate_of_an_application",
            ),
        ]


class DeedTransfer(models.Model):
    """The deed that came in on a certificate: who owns since when, and the account that is billed
    from the closing on. Never changed."""

    application = models.OneToOneField(Application, models.PROTECT, related_name="deed")
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="+")
    deed = models.CharField(max_length=40, help_text="The recorder's document number")
    owned_from = models.DateField()
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    applied_at = models.DateTimeField()
    applied_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deed"], name="deed_applied_once")]
