"""Who the customers are and what they own.

A **customer** (a person or an organization) has **contacts**, owns **properties** by dated
**ownerships**, and holds accounts by dated **account holdings**. A property has **service
points**, where water is taken. Property types are city data. **Search words** are the words of
all names and addresses, kept by triggers (`sql/search.sql`).
"""

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from chamberlain.ledger.models import Account


@pghistory.track()
class Customer(models.Model):
    """A person or an organization."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        ORGANIZATION = "organization", "Organization"

    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=5, default="en")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Contact(models.Model):
    """One way to reach a customer."""

    class Kind(models.TextChoices):
        PHONE = "phone", "Phone"
        EMAIL = "email", "E-mail"
        MAIL = "mail", "Mailing address"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contacts")
    kind = models.CharField(max_length=8, choices=Kind)
    value = models.CharField(max_length=160)

    class Meta:
        indexes = [
            models.Index(
                fields=["value"],
                condition=models.Q(kind="phone"),
                opclasses=["varchar_pattern_ops"],
                name="contact_phone",
            )
        ]


@pghistory.track()
class PropertyType(models.Model):
    """What kind of property: city data, from the city's files."""

    code = models.CharField(max_length=24, primary_key=True)
    name = models.CharField(max_length=80)


@pghistory.track()
class Property(models.Model):
    """A parcel or a part of one, with a street address."""

    parcel_number = models.CharField(max_length=24, unique=True)
    address = models.CharField(max_length=160)
    postal_code = models.CharField(max_length=12)
    property_type = models.ForeignKey(PropertyType, models.PROTECT)
    dwelling_units = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(dwelling_units__gte=0), name="dwelling_units_not_negative"
            )
        ]


@pghistory.track()
class Ownership(models.Model):
    """A customer owns a share of a property (basis points; 10000 is all), for a range of days."""

    property = models.ForeignKey(Property, models.PROTECT, related_name="ownerships")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="ownerships")
    share_basis_points = models.IntegerField(default=10_000)
    period = DateRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="owner_of_a_property_once_at_a_time",
                expressions=[
                    ("property", RangeOperators.EQUAL),
                    ("customer", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=models.Q(share_basis_points__gt=0, share_basis_points__lte=10_000),
                name="ownership_share_within_whole",
            ),
        ]


class ServicePoint(models.Model):
    """The place at a property where a service is taken."""

    property = models.ForeignKey(Property, models.PROTECT, related_name="service_points")
    code = models.CharField(max_length=24, unique=True)


@pghistory.track()
class AccountHolding(models.Model):
    """A customer holds an account, and a property it is for, for a range of days."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="holdings")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="holdings")
    property = models.ForeignKey(Property, models.PROTECT, null=True, related_name="holdings")
    period = DateRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="account_held_by_one_at_a_time",
                expressions=[
                    ("account", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            )
        ]


class SearchWord(models.Model):
    """A word that stands in the name of a customer (`is_name`) or in an address."""

    word = models.CharField(max_length=40)
    is_name = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word", "is_name"], name="search_word_once")]
        indexes = [
            GinIndex(fields=["word"], opclasses=["gin_trgm_ops"], name="search_word_trigrams"),
            models.Index(
                fields=["word"], opclasses=["varchar_pattern_ops"], name="search_word_beginning"
            ),
        ]
