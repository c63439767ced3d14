"""Stock from hand to hand: one person sends, another counts what arrived.

What comes from the vendor is a handover too: who enters the delivery note is not who counts the
boxes. What did not arrive stays under way, on the list of open handovers, until a third person
says that it is missing or that it was never sent.
"""

from datetime import datetime

from django.db import connection, transaction

from chamberlain.cashiering.stock.models import Handover, Place
from chamberlain.cashiering.stock.numbers import Span, as_kept, count, of_kept, without
from chamberlain.cashiering.stock.places import (
    Role,
    center_id_of,
    in_words,
    kind_named,
    move,
    name_of,
    numbering,
    place_of_role,
    place_with_id,
    require_at,
    require_settler,
    require_witness,
)
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused

DOCUMENT_MAX = 80
_ROUTES = {
    "": (Role.STORE, Role.SAFE),
    Role.STORE: (Role.SAFE, Role.SENT_BACK),
    Role.SAFE: (Role.STORE, Role.SAFE, Role.TILL, Role.SENT_BACK),
    Role.TILL: (Role.SAFE,),
}


def send(
    actor: Actor,
    kind_code: str,
    typed: str,
    source_id: int | None,
    target_id: int,
    document: str,
    now: datetime,
    idempotency_key: str,
) -> int:
    """Sends numbers from a place to another; they are under way until somebody accepts them.

    source_id: None for a delivery of the vendor. document: the delivery note, bag or slip; a
    delivery has one. Returns the handover's id. Raises NotFound, Invalid, NotPermitted, NotThere,
    Refused for a way that stock does not go.
    """
    kind = kind_named(kind_code)
    spans = numbering(kind).typed(typed, "numbers")
    target = place_with_id(target_id, "target")
    source = place_with_id(source_id, "source") if source_id is not None else None
    require_at(actor, source)
    _refuse_route(source, target)
    note = document.strip()
    if len(note) > DOCUMENT_MAX or (source is None and not note):
        raise Invalid(
            f"Name the delivery note, in at most {DOCUMENT_MAX} characters.", field="document"
        )
    with transaction.atomic():
        _one_at_a_time(idempotency_key)
        before = Handover.objects.filter(idempotency_key=idempotency_key).first()
        if before is not None:
            actor.require_own(before.sent_by_id)
            return int(before.pk)
        move(actor, kind, spans, source, place_of_role(Role.UNDER_WAY), now, reason=note)
        made = Handover.objects.create(
            kind=kind,
            source=source,
            target=target,
            spans=as_kept(spans),
            document=note,
            sent_by_id=actor.user_id,
            sent_at=now,
            idempotency_key=idempotency_key,
        )
    return int(made.pk)


def _refuse_route(source: Place | None, target: Place) -> None:
    ways = _ROUTES.get(source.role if source else "", ())
    if target.role not in ways or source == target:
        raise Refused(
            f"Stock does not go from {name_of(source)} to {name_of(target)}; send it through the "
            "center's safe.",
            field="target",
        )
    touches_till = source is not None and Role.TILL in (target.role, source.role)
    if source is not None and touches_till and center_id_of(source) != center_id_of(target):
        raise Refused(
            "A till and the safe that its stock comes from or goes to are of one center; send it "
            "to that center's safe first.",
            field="target",
        )


def _one_at_a_time(key: str) -> None:
    if not 0 < len(key) <= 64:
        raise Invalid("The form has lost its key; open it again.", field="key")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def accept(actor: Actor, handover_id: int, typed: str, now: datetime) -> list[Span]:
    """Takes over what arrived of a handover, by a person who counted it.

    typed: the numbers in the box, or “none”. Returns what did not arrive, which stays under way.
    Raises NotFound, AlreadyDone, NotPermitted (the sender), Invalid, Refused for numbers that
    were not sent.
    """
    with transaction.atomic():
        handover = _locked(handover_id)
        _require_receiver(actor, handover)
        if handover.accepted_at:
            raise AlreadyDone(f"{handover.kind.name}: this was accepted before.")
        kind, sent = handover.kind, of_kept(handover.spans)
        arrived = numbering(kind).found(typed, "numbers")
        foreign = without(arrived, sent)
        if foreign:
            raise Refused(
                f"Not sent with this: {in_words(kind, foreign)}. Leave those out and call who "
                "sent it.",
                field="numbers",
            )
        move(
            actor,
            kind,
            arrived,
            place_of_role(Role.UNDER_WAY),
            handover.target,
            now,
            reason=handover.document,
        )
        handover.arrived = as_kept(arrived)
        handover.accepted_by_id, handover.accepted_at = actor.user_id, now
        handover.save(update_fields=["arrived", "accepted_by", "accepted_at"])
    return without(sent, arrived)


def _require_receiver(actor: Actor, handover: Handover) -> None:
    require_at(actor, handover.target)
    if handover.sent_by_id == actor.user_id:
        raise NotPermitted(
            "What was sent is counted by another person than who sent it; call a colleague."
        )


def settle_handover(
    actor: Actor, handover_id: int, now: datetime, *, was_sent: bool, note: str
) -> list[Span]:
    """Ends a handover of which something did not arrive, by a third person.

    was_sent: the numbers left and are missing; else they never left and are where they came
    from. Returns those numbers. Raises NotFound, AlreadyDone, NotPermitted, Invalid (no note),
    Refused when it was not accepted yet or nothing lacks.
    """
    note = _note(note)
    with transaction.atomic():
        handover = _locked(handover_id)
        require_settler(actor, handover.target)
        if handover.accepted_at is None:
            raise Refused("Nobody has counted yet what arrived; have it accepted first.")
        if handover.settled_at:
            raise AlreadyDone("This handover was settled before.")
        if actor.user_id in (handover.sent_by_id, handover.accepted_by_id):
            raise NotPermitted(
                "What did not arrive is settled by another person than who sent it and who "
                "counted it; call another supervisor."
            )
        lacking = without(of_kept(handover.spans), of_kept(handover.arrived))
        if not lacking:
            raise Refused("All of it arrived; there is nothing to settle.")
        back = handover.source or place_of_role(Role.SENT_BACK)
        move(
            actor,
            handover.kind,
            lacking,
            place_of_role(Role.UNDER_WAY),
            place_of_role(Role.MISSING) if was_sent else back,
            now,
            reason=note,
        )
        handover.settled_by_id, handover.settled_at = actor.user_id, now
        handover.save(update_fields=["settled_by", "settled_at"])
    return lacking


def _note(text: str) -> str:
    note = text.strip()
    if not 0 < len(note) <= 200:
        raise Invalid("Say what was found out, in at most 200 characters.", field="note")
    return note


def _locked(handover_id: int) -> Handover:
    found = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("kind", "source__center", "source__till", "target__center", "target__till")
        .filter(pk=handover_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such handover; look at the list.")
    return found


def spoil(
    actor: Actor,
    approver: Actor,
    place_id: int,
    kind_code: str,
    typed: str,
    reason: str,
    now: datetime,
) -> int:
    """Takes spoiled items out of use, before a second person who sees them. Returns how many.

    Raises NotFound, Invalid, NotPermitted, NotThere.
    """
    kind, place = kind_named(kind_code), place_with_id(place_id)
    require_at(actor, place)
    require_witness(actor, approver, place)
    spans = numbering(kind).typed(typed, "numbers")
    with transaction.atomic():
        move(
            actor,
            kind,
            spans,
            place,
            place_of_role(Role.SPOILED),
            now,
            second=approver,
            reason=_note(reason),
        )
    return count(spans)
