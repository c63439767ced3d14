"""Who the customers are and what they own.

A **customer** (a person or an organization) has **contacts**, owns **properties** by dated
**ownerships**, and holds accounts by dated **account holdings**. A property has **service
points**, where water is taken. Property types are city data. **Search words** are the words of
all names and addresses, kept by triggers (`sql/search.sql`).

**Documents** prove what is on file. A **finding** is what a reviewer read in one: an ownership, or
a type and dwelling units, which a second person decides. What a property is changes by **property
changes**, rows that are only added: the type and units in its own row are those it was registered
with. `sql/documents.sql` keeps the database from forgetting any of it.

A **sent form** may have registered somebody new: it is kept so that sending it twice does it once.
"""

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from chamberlain.identity.models import User
from chamberlain.ledger.models import Account


@pghistory.track()
class Customer(models.Model):
    """A person or an organization."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        ORGANIZATION = "organization", "Organization"

    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=10, default="en")
    is_paperless = models.BooleanField(default=False, db_default=False)


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
    """What kind of property: city data, from the city's files.

    least_units, most_units: how many dwelling units it may have; null is any number.
    rate_class: the class that a tariff bills it under; "" where the tariff does not ask.
    """

    code = models.CharField(max_length=24, primary_key=True)
    name = models.CharField(max_length=80)
    least_units = models.IntegerField(default=0, db_default=0)
    most_units = models.IntegerField(null=True)
    rate_class = models.CharField(max_length=40, blank=True, default="", db_default="")


@pghistory.track()
class Property(models.Model):
    """A parcel or a part of one, with a street address, and what it was when registered."""

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


@pghistory.track()
class AccountMailing(models.Model):
    """Where the mail of one account goes, for a range of days, when not to its property."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="mailings")
    addressee = models.CharField(max_length=120, blank=True)
    address = models.CharField(max_length=160)
    postal_code = models.CharField(max_length=12)
    period = DateRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="account_mailed_to_one_place_at_a_time",
                expressions=[
                    ("account", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            )
        ]


@pghistory.track()
class CustomerMark(models.Model):
    """A customer died or is bankrupt; `reference` is the court's or the registrar's number."""

    class Kind(models.TextChoices):
        DECEASED = "deceased", "Deceased"
        BANKRUPT = "bankrupt", "Bankrupt"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="marks")
    kind = models.CharField(max_length=12, choices=Kind)
    reference = models.CharField(max_length=80, blank=True)
    period = DateRangeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="customer_marked_once_at_a_time",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    ("kind", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            )
        ]


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent(), exclude=["number"])
class PersonalNumber(models.Model):
    """A number that a state gave a person. Its history leaves the number out."""

    class Kind(models.TextChoices):
        DRIVERS_LICENSE = "drivers_license", "Driver's license"
        STATE_ID = "state_id", "State identification"
        PASSPORT = "passport", "Passport"
        TAXPAYER = "taxpayer", "Taxpayer number"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="personal_numbers")
    kind = models.CharField(max_length=16, choices=Kind)
    number = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"], name="personal_number_once_of_a_kind"
            )
        ]


@pghistory.track(
    pghistory.InsertEvent(), exclude=["digest", "media_type", "size_bytes", "kept_by", "kept_at"]
)
class Document(models.Model):
    """A file that proves something about a property. It is stored under its SHA-256 digest."""

    class Kind(models.TextChoices):
        DEED = "deed", "Deed"
        TAX_BILL = "tax_bill", "Property tax bill"
        LEASE = "lease", "Lease"
        CLOSING_STATEMENT = "closing_statement", "Closing statement"
        IDENTIFICATION = "identification", "Identification"
        OTHER = "other", "Other proof"

    property = models.ForeignKey(Property, models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    media_type = models.CharField(max_length=40)
    size_bytes = models.IntegerField()
    pages = models.IntegerField()
    kept_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["property", "digest"], name="document_once_for_a_property"
            ),
            models.CheckConstraint(
                condition=models.Q(digest__regex="^[0-9a-f]{64}$"), name="document_digest_is_sha256"
            ),
        ]


class DocumentView(models.Model):
    """Somebody saw a document's content."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="views")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()


class DocumentReview(models.Model):
    """A reviewer is done with a document."""

    document = models.OneToOneField(Document, models.PROTECT, related_name="review")
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)


@pghistory.track()
class Finding(models.Model):
    """What somebody found out about a property, and what became of it.

    An ownership is read in a document, names customer and share, and is applied at once. A use
    names type and units, read in a document or known otherwise, as the reason says; it changes
    money, so another person decides.
    """

    class Kind(models.TextChoices):
        OWNERSHIP = "ownership", "Owner"
        USE = "use", "Type and dwelling units"

    class State(models.TextChoices):
        PROPOSED = "proposed", "Waits for a second person"
        APPLIED = "applied", "Applied"
        REFUSED = "refused", "Not applied"

    document = models.ForeignKey(Document, models.PROTECT, null=True, related_name="findings")
    # Without a document: of which property, and how it is known.
    property = models.ForeignKey(Property, models.PROTECT, null=True, related_name="findings")
    reason = models.CharField(max_length=200, blank=True, default="")
    kind = models.CharField(max_length=12, choices=Kind)
    from_on = models.DateField()
    customer = models.ForeignKey(Customer, models.PROTECT, null=True)
    share_basis_points = models.IntegerField(null=True)
    property_type = models.ForeignKey(PropertyType, models.PROTECT, null=True)
    dwelling_units = models.IntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    found_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    found_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["found_at"],
                condition=models.Q(state="proposed"),
                name="finding_waits",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    kind="ownership", customer__isnull=False, share_basis_points__isnull=False
                )
                | models.Q(kind="use", property_type__isnull=False, dwelling_units__isnull=False),
                name="finding_says_what_it_found",
            ),
            models.CheckConstraint(
                condition=models.Q(document__isnull=False, property=None)
                | models.Q(document=None, property__isnull=False, kind="use")
                & ~models.Q(reason=""),
                name="finding_rests_on_a_document_or_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(state="proposed", decided_by=None, decided_at=None)
                | models.Q(decided_by__isnull=False, decided_at__isnull=False),
                name="finding_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="use", decided_by=models.F("found_by")),
                name="finding_that_changes_money_decided_by_another",
            ),
        ]


@pghistory.track(pghistory.InsertEvent())
class PropertyChange(models.Model):
    """From a day on a property is of another type or has another number of dwelling units.

    Rows are only added. Of two for the same day the later one holds.
    """

    property = models.ForeignKey(Property, models.PROTECT, related_name="changes")
    from_on = models.DateField()
    property_type = models.ForeignKey(PropertyType, models.PROTECT)
    dwelling_units = models.IntegerField()
    finding = models.OneToOneField(Finding, models.PROTECT)

    class Meta:
        indexes = [models.Index(fields=["property", "-from_on", "-id"], name="property_changes")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(dwelling_units__gte=0), name="changed_units_not_negative"
            )
        ]


class SentForm(models.Model):
    """A form about a property that was sent and done. made_id: the account or finding it made."""

    class Kind(models.TextChoices):
        MOVE_IN = "move_in", "Move in"
        OWNER = "owner", "Owner"

    idempotency_key = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8, choices=Kind)
    property = models.ForeignKey(Property, models.PROTECT, related_name="+")
    sent_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_id = models.BigIntegerField()


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
