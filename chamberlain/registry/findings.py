"""What a reviewer read in a document becomes dated ownership, or a dated change of the property.

An ownership is applied at once. A change of type or dwelling units changes what is billed, so it
waits until another person decides.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import models, transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry.documents import document_for
from chamberlain.registry.models import (
    Document,
    Finding,
    Ownership,
    Property,
    PropertyChange,
    PropertyType,
    SentForm,
)
from chamberlain.registry.operations import NewCustomer, known_customer, typed_text
from chamberlain.registry.ownership import WHOLE, end_ownership, record_ownership
from chamberlain.registry.sending import keep_sent, made_before


@dataclass(frozen=True, slots=True)
class FoundOwner:
    """Who owns by a document: the id of a customer on file, or somebody who is not on file yet.

    share_basis_points: 10000 is all. replaces: whether the present owners' days end, as with a
    sale; without it the owner joins them.
    """

    customer: int | NewCustomer
    share_basis_points: int = WHOLE
    replaces: bool = True


def find_owner(
    actor: Actor,
    document_id: int,
    owner: FoundOwner,
    from_on: date,
    now: datetime,
    today: date,
    *,
    idempotency_key: str | None = None,
) -> int:
    """Records an owner whom a document proves, from a day on; returns the finding's id.

    The same key records, and registers somebody new, once. Raises what `record_ownership` raises
    (an ownership that overlaps, shares over the whole), Refused when a present owner began on that
    day or later and so cannot be replaced by it, and AlreadyDone for a key of another form.
    """
    actor.require("document.review")
    document = _document(actor, document_id, from_on, today)
    with acting(actor), transaction.atomic():
        Property.objects.select_for_update().get(pk=document.property_id)
        sent = (actor, idempotency_key, SentForm.Kind.OWNER, document.property_id)
        if (before := made_before(*sent)) is not None:
            return before
        if owner.replaces:
            _end_present_owners(actor, document.property_id, owner.customer, from_on)
        customer_id = known_customer(actor, owner.customer)
        record_ownership(
            actor,
            document.property_id,
            customer_id,
            from_on,
            share_basis_points=owner.share_basis_points,
        )
        finding = Finding.objects.create(
            document=document,
            kind=Finding.Kind.OWNERSHIP,
            from_on=from_on,
            customer_id=customer_id,
            share_basis_points=owner.share_basis_points,
            state=Finding.State.APPLIED,
            found_by_id=actor.user_id,
            found_at=now,
            decided_by_id=actor.user_id,
            decided_at=now,
        )
        keep_sent(*sent, finding.pk)
        return finding.pk


def find_use(
    actor: Actor,
    document_id: int,
    property_type: str,
    dwelling_units: int,
    from_on: date,
    now: datetime,
    today: date,
) -> int:
    """Records that a document proves another type or number of dwelling units from a day on.

    It waits for another person; returns the finding's id. Raises Invalid for a type that the
    city does not know or units that the type cannot have, AlreadyDone when the property is that
    on that day or another such finding waits.
    """
    actor.require("document.review")
    document = _document(actor, document_id, from_on, today)
    use = Use(property_type, dwelling_units, from_on)
    return _propose(actor, document.property_id, use, now, document=document)


@dataclass(frozen=True, slots=True)
class Use:
    """What a property is from a day on: the code of its type, and its dwelling units."""

    property_type: str
    dwelling_units: int
    from_on: date


def propose_use(
    actor: Actor, property_id: int, use: Use, reason: str, now: datetime, today: date
) -> int:
    """Asks that a property has another type or number of units from a day on, without a document.

    As after a visit or a permit: the reason says how it is known. It waits for another person;
    returns the finding's id. Raises NotFound, Invalid without a reason or for a day ahead, and
    what `find_use` raises.
    """
    actor.require("property.change")
    said = typed_text(reason, "reason", 200)
    if use.from_on > today:
        raise Invalid("This cannot begin after today; correct the day.", field="from_on")
    return _propose(actor, property_id, use, now, reason=said)


def _propose(
    actor: Actor,
    property_id: int,
    use: Use,
    now: datetime,
    *,
    document: Document | None = None,
    reason: str = "",
) -> int:
    with acting(actor), transaction.atomic():
        if not Property.objects.select_for_update().filter(pk=property_id).exists():
            raise NotFound("There is no such property; look it up by its address or parcel.")
        _check_use(use.property_type, use.dwelling_units)
        waiting = Finding.objects.filter(
            models.Q(property_id=property_id) | models.Q(document__property_id=property_id),
            kind=Finding.Kind.USE,
            state=Finding.State.PROPOSED,
        )
        if waiting.exists():
            raise AlreadyDone(
                "A change of this property's type or units waits for a second person already; "
                "have it decided first."
            )
        if use_on(property_id, use.from_on) == (use.property_type, use.dwelling_units):
            raise AlreadyDone(
                f"The property has this type and these units on {use.from_on:%B %-d, %Y} "
                "already; correct the day or leave it as it is.",
                field="from_on",
            )
        return Finding.objects.create(
            property_id=None if document else property_id,
            document=document,
            reason=reason,
            kind=Finding.Kind.USE,
            from_on=use.from_on,
            property_type_id=use.property_type,
            dwelling_units=use.dwelling_units,
            found_by_id=actor.user_id,
            found_at=now,
        ).pk


def decide_use(
    actor: Actor, finding_id: int, is_right: bool, now: datetime, note: str = ""
) -> None:
    """Another person applies a found change of type or units, or does not and says why.

    Raises NotPermitted for the person who found it, AlreadyDone when it is decided, Invalid when
    it is not applied without a note.
    """
    actor.require("property.approve_change")
    with acting(actor), transaction.atomic():
        found = (
            Finding.objects.select_for_update(of=("self",))
            .select_related("document__property", "property")
            .filter(pk=finding_id, kind=Finding.Kind.USE)
            .first()
        )
        if found is None:
            raise NotFound("There is no such finding; look at the property again.")
        if found.state != Finding.State.PROPOSED:
            raise AlreadyDone("This finding was decided already; look at the property again.")
        if found.found_by_id == actor.user_id:
            raise NotPermitted(
                f"{actor.name} found this change, so another person has to decide on it."
            )
        if not is_right and not note.strip():
            raise Invalid("Say why the change is not applied.", field="note")
        found.state = Finding.State.APPLIED if is_right else Finding.State.REFUSED
        found.decided_by_id, found.decided_at = actor.user_id, now
        found.note = note.strip()[:200]
        found.save(update_fields=["state", "decided_by", "decided_at", "note"])
        if is_right:
            about = found.document.property if found.document else found.property
            assert about is not None
            assert found.property_type_id is not None
            assert found.dwelling_units is not None
            PropertyChange.objects.create(
                property=about,
                from_on=found.from_on,
                property_type_id=found.property_type_id,
                dwelling_units=found.dwelling_units,
                finding=found,
            )


def use_on(property_id: int, day: date) -> tuple[str, int]:
    """The code of the property's type and its dwelling units on a day."""
    change = (
        PropertyChange.objects.filter(property_id=property_id, from_on__lte=day)
        .order_by("-from_on", "-pk")
        .values_list("property_type_id", "dwelling_units")
        .first()
    )
    found = change or Property.objects.values_list("property_type_id", "dwelling_units").get(
        pk=property_id
    )
    return str(found[0]), int(found[1])


def _document(actor: Actor, document_id: int, from_on: date, today: date) -> Document:
    if from_on > today:
        raise Invalid(
            "What a document proves cannot begin after today; correct the day.", field="from_on"
        )
    return document_for(actor, document_id)


def _check_use(code: str, units: int) -> None:
    kind = PropertyType.objects.filter(pk=code).first()
    if kind is None:
        raise Invalid(
            f"The city has no property type “{code[:24]}”; choose one of the list.",
            field="property_type",
        )
    most = kind.most_units
    if units < kind.least_units or (most is not None and units > most):
        allowed = f"{kind.least_units} or more" if most is None else (
            f"{kind.least_units}" if most == kind.least_units else f"{kind.least_units} to {most}"
        )  # fmt: skip
        raise Invalid(
            f"The type {kind.name} has {allowed} dwelling units, not {units}; correct the type "
            "or the units.",
            field="dwelling_units",
        )


def _end_present_owners(
    actor: Actor, property_id: int, customer: int | NewCustomer, from_on: date
) -> None:
    present = Ownership.objects.filter(property_id=property_id).select_related("customer")
    for owned in present:
        start, end = owned.period.lower, owned.period.upper
        if end is not None and end <= from_on:
            continue
        if start >= from_on:
            raise Refused(
                f"{owned.customer.name} owns this property from {start:%B %-d, %Y} on, which is "
                "not before that day; correct the day, or look at the owners through time.",
                field="from_on",
            )
        if owned.customer_id == customer:
            raise AlreadyDone(
                f"{owned.customer.name} owns this property on that day already.", field="customer"
            )
        end_ownership(actor, owned.pk, from_on)
