"""Selling a numbered item at a till: the fee is charged and the number leaves the till in one.

The charge is paid as any other, in the basket with whatever else the customer pays. Until it is
paid the sale can be taken back: the item goes back into the till, or to the spoiled ones before a
second person. A till with an unpaid sale is not closed.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.models import TillSession
from chamberlain.cashiering.stock.models import Held, Kind, Place, Sale
from chamberlain.cashiering.stock.numbers import Span
from chamberlain.cashiering.stock.places import (
    Role,
    move,
    numbering,
    place_of_role,
    require_witness,
)
from chamberlain.cashiering.tills import locked_session
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger.operations import reverse_entry
from chamberlain.ledger.posting import sentences
from chamberlain.revenue import operations as revenue
from chamberlain.revenue.operations import Posting
from chamberlain.revenue.queries import obligation_charges


@dataclass(frozen=True, slots=True)
class Order:
    """What is sold: a fee, to whose account, about what (plate, animal, business), for how long.

    months: for a fee with a term. times: for one that is paid once. typed: the number on the item
    when it is not the next one of the till, or the number of a paper without stock.
    """

    account_id: int
    fee_code: str
    subject: str
    months: int = 12
    times: int = 1
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold. number: of the item or paper; kind: of stock, "" when the fee has none."""

    obligation_id: int
    number: str
    kind: str


@dataclass(frozen=True, slots=True)
class UnpaidSale:
    """A sale of a drawer on which something is still open."""

    sale_id: int
    obligation_id: int
    kind_name: str
    number: str
    subject: str
    account_number: str
    open_cents: int


def sell(actor: Actor, session_id: int, order: Order, now: datetime, idempotency_key: str) -> Sold:
    """Charges a fee at the actor's drawer and, where the fee has stock, gives out an item.

    The same key again returns the same sale. Raises NotPermitted, NotFound (till, fee, account),
    Invalid, NotThere for a number that is not at the till, Refused for a closed till or when the
    till has no item left, AlreadyDone, NoPrice, DayClosed.
    """
    actor.require("revenue.charge")
    with transaction.atomic():
        session = _drawer(actor, session_id)
        posting = Posting(session.business_day_id, now, idempotency_key)
        kind = Kind.objects.filter(fees__fee__code=order.fee_code).first()
        before = revenue.made_before(actor, idempotency_key)
        if before is not None:
            return _sold_before(before)
        if kind is None:
            number = order.typed.strip() or revenue.next_number()
            made = _charge(actor, order, number, posting)
            return Sold(made, number.upper(), "")
        place = Place.objects.select_for_update(no_key=True).get(till_id=session.till_id)
        value = _value(order, kind, place, session)
        number = numbering(kind).number(value)
        move(
            actor,
            kind,
            [Span(value, value)],
            place,
            place_of_role(Role.SOLD),
            now,
            reason=f"Sold for {order.subject.strip()}"[:200],
            field="number",
        )
        made = _charge(actor, order, number, posting)
        Sale.objects.create(
            session=session, kind=kind, number=value, obligation_id=made, sold_at=now
        )
    return Sold(made, number, kind.name)


def _drawer(actor: Actor, session_id: int) -> TillSession:
    session = locked_session(session_id)
    actor.require("revenue.charge", session.till.center_id)
    if session.cashier_id != actor.user_id:
        raise NotPermitted(
            f"Till {session.till.code} was opened by {session.cashier}; sell at your own till."
        )
    if session.closed_at:
        raise Refused(f"Till {session.till.code} is closed; open it again before selling.")
    return session


def _value(order: Order, kind: Kind, place: Place, session: TillSession) -> int:
    if order.typed.strip():
        return numbering(kind).value(order.typed, "number")
    first = Held.objects.filter(kind=kind, place=place).order_by("numbers").first()
    if first is None:
        raise Refused(
            f"Till {session.till.code} has no {kind.name} left; ask the supervisor for more.",
            field="fee",
        )
    return int(first.numbers.lower)


def _charge(actor: Actor, order: Order, number: str, posting: Posting) -> int:
    return revenue.sell(
        actor,
        order.account_id,
        number,
        order.fee_code,
        order.subject,
        posting,
        months=order.months,
        times=order.times,
    )


def _sold_before(obligation_id: int) -> Sold:
    sale = Sale.objects.select_related("kind").filter(obligation_id=obligation_id).first()
    number = revenue.number_of(obligation_id)
    return Sold(obligation_id, number, sale.kind.name if sale else "")


def undo_sale(
    actor: Actor,
    sale_id: int,
    reason: str,
    now: datetime,
    *,
    spoiled_before: Actor | None = None,
) -> None:
    """Takes an unpaid sale back: its charge is reversed and the item is in the till again.

    spoiled_before: the item cannot be sold any more, as this second person saw. Raises
    NotPermitted, NotFound, AlreadyDone, Invalid (no reason), Refused when something was paid.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= 120:
        raise Invalid("Say why the sale is taken back, in at most 120 characters.", field="reason")
    found = Sale.objects.filter(pk=sale_id).values_list("session_id", flat=True).first()
    if found is None:
        raise NotFound("There is no such sale; look at the list of the till.")
    with transaction.atomic(), sentences():
        session = _drawer(actor, found)
        sale = Sale.objects.select_for_update(of=("self",)).select_related("kind").get(pk=sale_id)
        shown = f"{sale.kind.name} {numbering(sale.kind).number(sale.number)}"
        if sale.undone_at:
            raise AlreadyDone(f"The sale of {shown} was taken back before.")
        if spoiled_before is not None:
            require_witness(actor, spoiled_before, Place.objects.get(till_id=session.till_id))
        charges = obligation_charges(sale.obligation_id)
        if any(charge.settled_cents for charge in charges):
            raise Refused(
                f"{shown} was paid; have the receipt voided first, then take the sale back."
            )
        [entry_id] = {charge.entry_id for charge in charges}
        undone = reverse_entry(
            actor, entry_id, session.business_day_id, now, kind="sale_undone", reason=reason
        )
        revenue.take_back(actor, sale.obligation_id)
        till = Place.objects.get(till_id=session.till_id)
        move(
            actor,
            sale.kind,
            [Span(sale.number, sale.number)],
            place_of_role(Role.SOLD),
            place_of_role(Role.SPOILED) if spoiled_before else till,
            now,
            second=spoiled_before,
            reason=reason,
        )
        sale.undone_entry_id, sale.undone_by_id, sale.undone_at = undone, actor.user_id, now
        sale.save(update_fields=["undone_entry", "undone_by", "undone_at"])


_UNPAID = """
    SELECT x.id, x.obligation_id, k.name, k.prefix, k.digits, x.number, o.subject, a.number,
        sum(c.cents - coalesce(s.settled_cents, 0))::bigint
    FROM stock_sale x
    JOIN stock_kind k ON k.id = x.kind_id
    JOIN revenue_obligation o ON o.id = x.obligation_id
    JOIN ledger_account a ON a.id = o.account_id
    JOIN revenue_obligationcharge oc ON oc.obligation_id = o.id
    JOIN ledger_charge c ON c.id = oc.charge_id
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE x.session_id = %s AND x.undone_at IS NULL
    GROUP BY x.id, k.id, o.id, a.id
    HAVING sum(c.cents - coalesce(s.settled_cents, 0)) > 0
    ORDER BY x.id
"""


def unpaid_sales(session_id: int) -> list[UnpaidSale]:
    """Sales of a drawer that are not paid yet, the oldest first."""
    return [
        UnpaidSale(
            sale_id,
            obligation_id,
            name,
            numbering(Kind(prefix=prefix, digits=digits)).number(number),
            subject,
            account,
            cents,
        )
        for sale_id, obligation_id, name, prefix, digits, number, subject, account, cents in rows(
            _UNPAID, [session_id]
        )
    ]
