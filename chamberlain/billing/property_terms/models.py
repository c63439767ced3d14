"""The city's terms of billing by property type and dwelling units."""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models

from chamberlain.registry.models import PropertyType


@pghistory.track()
class PropertyTerms(models.Model):
    """How properties of a type with so many dwelling units are billed, from a day on.

    most_units: null for any number. rate_class, the tariffs: "" leaves an agreement as it is; so
    do null months. exemptions: those that the type itself gives.
    """

    property_type = models.ForeignKey(PropertyType, models.PROTECT, related_name="+")
    least_units = models.IntegerField()
    most_units = models.IntegerField(null=True)
    starts_on = models.DateField()
    rate_class = models.CharField(max_length=40, blank=True)
    metered_tariff = models.CharField(max_length=48, blank=True)
    metered_months = models.SmallIntegerField(null=True)
    unmetered_tariff = models.CharField(max_length=48, blank=True)
    unmetered_months = models.SmallIntegerField(null=True)
    exemptions = ArrayField(models.CharField(max_length=24), default=list)
    source = models.CharField(max_length=300)
    is_verified = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["property_type", "least_units", "starts_on"],
                name="property_terms_once_a_day",
            )
        ]
