"""Counting stock without being told what should be there, and settling what differs.

Whoever counts types the numbers that lie there. What the books have besides is named number by
number, and waits for another person: they look, and say that it is missing, or let it be counted
again. A till is not closed, nor a center's day, before its stock was counted.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q

from chamberlain.cashiering.models import Till, TillSession
from chamberlain.cashiering.stock.models import Count, Held, Kind, Move, Place
from chamberlain.cashiering.stock.numbers import as_kept, both, of_kept, without
from chamberlain.cashiering.stock.places import (
    LIVE,
    Role,
    held_at,
    is_cashier_at,
    kind_named,
    move,
    name_of,
    numbering,
    place_of_role,
    place_with_id,
    require_at,
    require_settler,
    where_are,
)
from chamberlain.cashiering.stock.selling import unpaid_sales
from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Center
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused

_NOTE_MAX = 200


def count_stock(actor: Actor, place_id: int, kind_code: str, typed: str, now: datetime) -> Count:
    """Keeps what was counted at a place, and what differs from what should lie there.

    typed: the numbers found, or “none”. A count that agrees is settled at once, and with it
    earlier ones of the same place. Raises NotFound, NotPermitted, Invalid.
    """
    kind, place = kind_named(kind_code), place_with_id(place_id)
    require_at(actor, place)
    found = numbering(kind).found(typed, "numbers")
    with transaction.atomic():
        Place.objects.select_for_update(no_key=True).get(pk=place.pk)
        expected = held_at(kind, place)
        missing, surplus = without(expected, found), without(found, expected)
        agrees = not missing and not surplus
        if agrees:
            earlier = Count.objects.filter(place=place, kind=kind, is_settled=False)
            earlier.update(is_settled=True, note="Counted again, and it agreed.")
        return Count.objects.create(
            place=place,
            kind=kind,
            spans=as_kept(found),
            missing=as_kept(missing),
            surplus=as_kept(surplus),
            counted_by_id=actor.user_id,
            counted_at=now,
            last_move=_last_move(kind.pk, place.pk),
            is_settled=agrees,
        )


def _last_move(kind_id: int, place_id: int) -> int:
    moves = Move.objects.filter(Q(source_id=place_id) | Q(target_id=place_id), kind_id=kind_id)
    return int(moves.aggregate(last=Max("id"))["last"] or 0)


def settle_count(actor: Actor, count_id: int, note: str, now: datetime) -> None:
    """Settles what a count found, by another person than the one who counted.

    What is missing and was not counted since goes to the missing; what was found beyond the books
    comes here from where it was thought to be, unless it was sold or spoiled or never received:
    the note says what that was. Raises NotFound, NotPermitted, AlreadyDone, Invalid (no note).
    """
    note = note.strip()
    if not 0 < len(note) <= _NOTE_MAX:
        raise Invalid(f"Say what was found out, in at most {_NOTE_MAX} characters.", field="note")
    with transaction.atomic():
        counted = _locked(count_id)
        place, kind = counted.place, counted.kind
        require_settler(actor, place)
        if counted.is_settled:
            raise AlreadyDone("This count was settled before.")
        if actor.user_id == counted.counted_by_id or is_cashier_at(actor, place):
            raise NotPermitted(
                "A difference is settled by another person than who counted and than the "
                "cashier of the till; call another supervisor."
            )
        gone = both(of_kept(counted.missing), held_at(kind, place))
        move(actor, kind, gone, place, place_of_role(Role.MISSING), now, reason=note)
        for thought, spans in where_are(kind, of_kept(counted.surplus)):
            if thought.role in (*LIVE, Role.MISSING) and thought.pk != place.pk:
                move(actor, kind, spans, thought, place, now, reason=note)
        counted.is_settled, counted.note = True, note
        counted.settled_by_id, counted.settled_at = actor.user_id, now
        counted.save(update_fields=["is_settled", "note", "settled_by", "settled_at"])


def _locked(count_id: int) -> Count:
    found = (
        Count.objects.select_for_update(of=("self",))
        .select_related("kind", "place__center", "place__till")
        .filter(pk=count_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such count; look at the list.")
    return found


def to_be_counted(till_id: int) -> list[Kind]:
    """The kinds of stock of a till that moved or lie there and were not counted since."""
    place = Place.objects.filter(till_id=till_id).first()
    if place is None:
        return []
    touched = set(Held.objects.filter(place=place).values_list("kind_id", flat=True))
    drawer = TillSession.objects.filter(till_id=till_id, closed_at=None).first()
    if drawer is not None:
        touched |= set(drawer.stock_sales.values_list("kind_id", flat=True))
    counted = dict(
        Count.objects.filter(place=place)
        .values_list("kind_id")
        .annotate(last=Max("last_move"))
        .values_list("kind_id", "last")
    )
    since = drawer.opened_at if drawer else None
    today = set(
        Count.objects.filter(place=place, counted_at__gte=since).values_list("kind_id", flat=True)
        if since
        else []
    )
    waiting = [
        kind_id
        for kind_id in touched
        if kind_id not in today or counted.get(kind_id, 0) < _last_move(kind_id, place.pk)
    ]
    return list(Kind.objects.filter(pk__in=waiting).order_by("code"))


def refuse_uncounted(session: TillSession) -> None:
    """Raises Refused when the stock of a drawer is not counted, or a sale not paid."""
    for sale in unpaid_sales(session.pk):
        raise Refused(
            f"{sale.kind_name} {sale.number} was sold and is not paid; take the payment, or take "
            f"the sale back, before closing till {session.till.code}."
        )
    for kind in to_be_counted(session.till_id):
        raise Refused(
            f"The stock of till {session.till.code} is not counted: {kind.name}. Count it first."
        )


def refuse_unsettled(center: Center) -> None:
    """Raises Refused when a count at a center differs and nobody has settled it."""
    tills = Till.objects.filter(center=center)
    open_counts = Count.objects.filter(
        Q(place__center=center) | Q(place__till__in=tills), is_settled=False
    )
    if found := open_counts.select_related("place__till", "place__center", "kind").first():
        shown = numbering(found.kind)
        differs = of_kept(found.missing) or of_kept(found.surplus)
        raise Refused(
            f"The count of {found.kind.name} at {name_of(found.place)} differs by "
            f"{shown.listed(differs, 3)}; settle it before the day is closed."
        )
