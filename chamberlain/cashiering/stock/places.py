"""Places of stock, who may work at them, and the one way in which numbers leave or reach them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg
from django.db.utils import DatabaseError, IntegrityError

from chamberlain.cashiering.models import TillSession
from chamberlain.cashiering.stock.models import Held, Kind, Move, Place
from chamberlain.cashiering.stock.numbers import Numbering, Span, both, merged, without
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import NotFound, NotPermitted, Refused

Role = Place.Role
LIVE = (Role.STORE, Role.SAFE, Role.TILL, Role.UNDER_WAY)
_NOT_THERE = "ST001"


class NotThere(Refused):
    """Numbers are not at the place that they were to be taken from."""


def kind_named(code: str) -> Kind:
    """A kind of stock. Raises NotFound."""
    found = Kind.objects.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no kind of stock {code[:24]}; choose one.", field="kind")
    return found


def numbering(kind: Kind) -> Numbering:
    """How its numbers are written."""
    return Numbering(kind.prefix, kind.digits)


def place_of_role(role: str) -> Place:
    """The one place of a role that is neither a safe nor a till."""
    return Place.objects.get(role=role)


def place_with_id(place_id: int, field: str = "place") -> Place:
    """A place. Raises NotFound."""
    found = (
        Place.objects.select_related("center", "till__center").filter(pk=place_id).first()
        if place_id
        else None
    )
    if found is None:
        raise NotFound("There is no such place of stock; choose one.", field=field)
    return found


def center_id_of(place: Place) -> int | None:
    """The center that a safe or till is in; None for the city's own places."""
    if place.till is not None:
        return int(place.till.center_id)
    return place.center_id


def name_of(place: Place | None) -> str:
    """A place in words."""
    if place is None:
        return "the vendor"
    if place.till is not None:
        return f"till {place.till.code}"
    if place.center is not None:
        return f"the safe of {place.center.name}"
    return {
        Role.STORE: "the city's store",
        Role.UNDER_WAY: "under way",
        Role.SOLD: "sold",
        Role.SPOILED: "spoiled",
        Role.MISSING: "missing",
        Role.SENT_BACK: "the vendor",
    }[Role(place.role)]


def drawer_at(place: Place) -> TillSession | None:
    """The drawer that is open at a till's place."""
    if place.till_id is None:
        return None
    return TillSession.objects.filter(till_id=place.till_id, closed_at=None).first()


def is_cashier_at(actor: Actor, place: Place) -> bool:
    """Whether the actor has the drawer open at a till's place."""
    drawer = drawer_at(place)
    return drawer is not None and drawer.cashier_id == actor.user_id


def require_at(actor: Actor, place: Place | None) -> None:
    """Raises NotPermitted unless the actor works with the stock of a place: the vendor's and the
    store's is the coordinator's, a safe's its center's supervisors', a till's its cashier's too."""
    if place is None or place.role in (Role.STORE, Role.SENT_BACK):
        actor.require("stock.receive")
    elif place.role == Role.TILL and is_cashier_at(actor, place):
        actor.require("stock.count", center_id_of(place))
    elif place.role in (Role.SAFE, Role.TILL):
        actor.require("stock.move", center_id_of(place))
    else:
        raise NotPermitted(f"Nobody takes stock that is {name_of(place)}; choose another place.")


def require_settler(actor: Actor, place: Place) -> None:
    """Raises NotPermitted unless the actor settles differences at a place."""
    center_id = center_id_of(place)
    actor.require("stock.receive" if center_id is None else "stock.settle", center_id)


def require_witness(actor: Actor, witness: Actor, place: Place) -> None:
    """Raises NotPermitted unless another person than the actor may see spoiled items there."""
    require_settler(witness, place)
    if witness.user_id == actor.user_id:
        raise NotPermitted("A spoiled item is seen by a second person; call a supervisor.")


def held_at(kind: Kind, place: Place) -> list[Span]:
    """The numbers of a kind at a place, in order."""
    found = Held.objects.filter(kind=kind, place=place).values_list("numbers", flat=True)
    return merged(Span(numbers.lower, numbers.upper - 1) for numbers in found)


def where_are(kind: Kind, spans: Sequence[Span]) -> list[tuple[Place, list[Span]]]:
    """At which places numbers are, place by place; unknown numbers are at none."""
    if not spans:
        return []
    found = (
        Held.objects.select_related("place__center", "place__till")
        .filter(kind=kind, numbers__overlap=(spans[0].first, spans[-1].last + 1))
        .order_by("numbers")
    )
    by_place: dict[int, tuple[Place, list[Span]]] = {}
    for row in found:
        here = both([Span(row.numbers.lower, row.numbers.upper - 1)], spans)
        if here:
            by_place.setdefault(row.place_id, (row.place, []))[1].extend(here)
    return [(place, merged(here)) for place, here in by_place.values()]


def in_words(kind: Kind, spans: Sequence[Span]) -> str:
    """Where numbers are, in a sentence's middle: “P00412 is sold, P00413 is at no place”."""
    shown = numbering(kind)
    known = where_are(kind, spans)
    parts = [f"{shown.listed(here)} is {_at(place)}" for place, here in known]
    left = without(spans, [span for _, here in known for span in here])
    if left:
        parts.append(f"{shown.listed(left)} was never received")
    return "; ".join(parts)


def _at(place: Place) -> str:
    words = {Role.UNDER_WAY: "under way", Role.SENT_BACK: "back at the vendor"}
    if place.role in (Role.SOLD, Role.SPOILED, Role.MISSING):
        return str(place.role)
    return words.get(Role(place.role)) or f"at {name_of(place)}"


def move(
    actor: Actor,
    kind: Kind,
    spans: Sequence[Span],
    source: Place | None,
    target: Place,
    now: datetime,
    *,
    second: Actor | None = None,
    reason: str = "",
    field: str = "numbers",
) -> None:
    """Takes numbers from a place to another, in the caller's transaction.

    Raises NotThere naming the numbers that are elsewhere, and Refused for numbers that were
    received before. The caller has checked who may.
    """
    with _sentences(kind, spans, source, field):
        for span in spans:
            Move.objects.create(
                kind=kind,
                first=span.first,
                last=span.last,
                source=source,
                target=target,
                moved_by_id=actor.user_id,
                second_id=second.user_id if second else None,
                moved_at=now,
                reason=reason,
            )


@contextmanager
def _sentences(
    kind: Kind, spans: Sequence[Span], source: Place | None, field: str
) -> Iterator[None]:
    # What is wrong is looked up before: once the database has refused, nothing can be read.
    if source is None:
        known = [span for _, here in where_are(kind, spans) for span in here]
        if known:
            raise Refused(
                f"{numbering(kind).listed(merged(known))} of {kind.name} was received before: "
                f"{in_words(kind, merged(known))}. Check the delivery note.",
                field=field,
            )
    else:
        absent = without(spans, held_at(kind, source))
        if absent:
            raise NotThere(
                f"Not at {_place(source)}: {in_words(kind, absent)}. Correct the numbers, or "
                "count the stock.",
                field=field,
            )
    try:
        yield
    except (DatabaseError, IntegrityError) as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error) and (
            cause.sqlstate == _NOT_THERE or isinstance(cause, psycopg.errors.ExclusionViolation)
        ):
            raise NotThere(
                "Somebody moved these numbers in this moment and nothing of yours was done; look "
                "where they are and do it again.",
                field=field,
            ) from error
        raise


def _place(place: Place) -> str:
    return "what is under way" if place.role == Role.UNDER_WAY else name_of(place)
