"""Closing a drawer blind, having it verified, and closing the center's day.

The order of an evening: each cashier counts and closes their till without being told what should
be in it; over or short is posted; another person counts again and verifies; the supervisor bags
what lies there, tender by tender (`reconciliation.operations.make_deposit`, which posts on the
same day); then the day closes and is sealed. The float is not part of it: it comes from the
center's change fund in the morning, goes back to it at night, and never enters the books, except
for what is missing from it (`counting`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from chamberlain.cashiering.counting import check_counted, counted_cents, over_short
from chamberlain.cashiering.models import Count, TillSession, VoidRequest
from chamberlain.cashiering.receipts import rows
from chamberlain.cashiering.safe.gates import refuse_uncounted_end
from chamberlain.cashiering.stock.counting import refuse_uncounted, refuse_unsettled
from chamberlain.cashiering.tills import locked_session, record_count
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay, DayDigest
from chamberlain.ledger.operations import seal_business_day
from chamberlain.ledger.posting import Leg, NewEntry, post


class DoesNotAddUp(Refused):
    """The room's own figures and the ledger differ: a fault that a person must look into."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What a closing found, in cents; over is positive, short negative."""

    session_id: int
    expected_cash_cents: int
    counted_cash_cents: int
    expected_check_cents: int
    counted_check_cents: int
    expected_money_order_cents: int
    counted_money_order_cents: int

    @property
    def over_short_cents(self) -> int:
        """Over or short of all that was counted."""
        return (
            self.counted_cash_cents
            - self.expected_cash_cents
            + self.counted_check_cents
            - self.expected_check_cents
            + self.counted_money_order_cents
            - self.expected_money_order_cents
        )


_TAKEN = """
    SELECT a.code, sum(CASE WHEN t.debit_id = a.id THEN t.cents ELSE -t.cents END)
    FROM cashiering_receipt r
    JOIN ledger_transfer t ON t.entry_id IN (r.entry_id, r.void_entry_id)
    JOIN ledger_ledgeraccount a ON a.id IN (t.debit_id, t.credit_id) AND a.code = ANY(%s)
    WHERE r.session_id = %s GROUP BY a.code
"""


def close_till(
    actor: Actor,
    session_id: int,
    counts: Mapping[int, int],
    check_cents: int,
    now: datetime,
    money_order_cents: int = 0,
) -> Closed:
    """Closes a drawer with what was counted in it, and posts over or short.

    counts: pieces by denomination in cents, with the float. check_cents, money_order_cents: what
    the papers add up to. The cashier closes their own till; a supervisor may close another's.
    Raises NotPermitted, Invalid, NotFound, AlreadyDone (closed before), Refused (a void of one of
    its receipts is not decided, a sale is not paid, its stock is not counted), DoesNotAddUp.
    """
    actor.require("till.close")
    cash = counted_cents(counts)
    check_counted(check_cents, "checks")
    check_counted(money_order_cents, "money orders")
    with transaction.atomic():
        session = locked_session(session_id)
        actor.require("till.close", session.till.center_id)
        _refuse_unless_closable(actor, session)
        refuse_uncounted(session)
        taken = taken_by_tender(session)
        expected = _expected_cash(session, taken["cash"])
        closed = Closed(
            session_id,
            expected,
            cash,
            taken["check"],
            check_cents,
            taken["money_order"],
            money_order_cents,
        )
        record_count(session.pk, Count.Moment.CLOSING, counts)
        entry_id = _post_over_short(actor, session, closed, taken, now)
        TillSession.objects.filter(pk=session.pk).update(
            closed_at=now,
            closed_by_id=actor.user_id,
            closing_entry_id=entry_id,
            expected_cash_cents=closed.expected_cash_cents,
            counted_cash_cents=closed.counted_cash_cents,
            expected_check_cents=closed.expected_check_cents,
            counted_check_cents=closed.counted_check_cents,
            expected_money_order_cents=closed.expected_money_order_cents,
            counted_money_order_cents=closed.counted_money_order_cents,
        )
    return closed


def _refuse_unless_closable(actor: Actor, session: TillSession) -> None:
    code = session.till.code
    if session.closed_at:
        raise AlreadyDone(f"Till {code} is closed already; ask the supervisor to verify it.")
    if session.cashier_id != actor.user_id and not actor.may("till.verify", session.till.center_id):
        raise NotPermitted(
            f"Till {code} was opened by {session.cashier}; its cashier or a supervisor closes it."
        )
    waiting = VoidRequest.objects.filter(receipt__session=session, decided_at=None)
    if request := waiting.select_related("receipt").first():
        raise Refused(
            f"The void of receipt {request.receipt.number} is not decided; have it approved or "
            f"declined before closing till {code}."
        )


def taken_by_tender(session: TillSession) -> dict[str, int]:
    """What a drawer took by kind of tender, less voids, from the transfers."""
    kinds = ("cash", "check", "money_order", "card")
    codes = {chart.till_code(session.till.center.code, kind): kind for kind in kinds}
    found = {codes[code]: int(cents) for code, cents in rows(_TAKEN, [list(codes), session.pk])}
    return dict.fromkeys(kinds, 0) | found


def _expected_cash(session: TillSession, taken_cents: int) -> int:
    dropped = sum(session.drops.values_list("cents", flat=True))
    expected = session.float_cents + taken_cents - dropped
    if expected != session.drawer_cents:
        raise DoesNotAddUp(
            f"Till {session.till.code}: its receipts put {show_cents(session.drawer_cents)} in "
            f"the drawer, the ledger {show_cents(expected)}; nothing was closed, call the "
            "accountant."
        )
    return expected


def _post_over_short(
    actor: Actor, session: TillSession, closed: Closed, taken: dict[str, int], now: datetime
) -> int | None:
    center = session.till.center.code
    cash = over_short(closed.expected_cash_cents, closed.counted_cash_cents, taken["cash"])
    changes = [
        (chart.till_code(center, "cash"), cash.takings_cents),
        (chart.change_fund_code(center), -cash.fund_short_cents),
        (
            chart.till_code(center, "check"),
            closed.counted_check_cents - closed.expected_check_cents,
        ),
        (
            chart.till_code(center, "money_order"),
            closed.counted_money_order_cents - closed.expected_money_order_cents,
        ),
    ]
    legs = [_over_short_leg(center, code, cents) for code, cents in changes if cents]
    if not legs:
        return None
    return post(
        NewEntry(
            business_day_id=session.business_day_id,
            kind="over_short",
            actor_id=actor.user_id,
            posted_at=now,
            document=f"{session.till.code}-{session.pk}",
            legs=legs,
            reason=f"Closing of till {session.till.code}, counted by {actor.name}",
        )
    )


def _over_short_leg(center_code: str, code: str, cents: int) -> Leg:
    """Found more: the account grows against over and short. Found less: the other way."""
    account = chart.ledger_account_id(code)
    over_short_account = chart.ledger_account_id(chart.over_short_code(center_code))
    if cents > 0:
        return Leg(debit_id=account, credit_id=over_short_account, cents=cents)
    return Leg(debit_id=over_short_account, credit_id=account, cents=-cents)


def verify_till(actor: Actor, session_id: int, now: datetime) -> None:
    """Confirms a closed drawer, by another person than its cashier and than who closed it.

    Raises NotPermitted, NotFound, AlreadyDone, Refused when it is not closed.
    """
    actor.require("till.verify")
    with transaction.atomic():
        session = locked_session(session_id)
        code = session.till.code
        actor.require("till.verify", session.till.center_id)
        if session.closed_at is None:
            raise Refused(f"Till {code} is still open; have it counted and closed first.")
        if session.verified_at:
            raise AlreadyDone(f"Till {code} was verified before.")
        if actor.user_id in (session.cashier_id, session.closed_by_id):
            raise NotPermitted(
                f"Till {code} is verified by another person than who took the money or counted "
                "it; call another supervisor."
            )
        session.verified_at, session.verified_by_id = now, actor.user_id
        session.save(update_fields=["verified_at", "verified_by"])


def close_center_day(actor: Actor, business_day_id: int, now: datetime) -> DayDigest:
    """Closes a center's day when its tills are closed, verified and deposited, and seals it.

    Raises NotPermitted, NotFound, AlreadyDone, Refused naming the till, tender, count of stock or
    count of the safe that keeps the day open, DoesNotAddUp.
    """
    actor.require("day.close")
    with transaction.atomic():
        day = (
            BusinessDay.objects.select_for_update(of=("self",))
            .select_related("center")
            .filter(pk=business_day_id)
            .first()
        )
        if day is None:
            raise NotFound("There is no such business day.")
        actor.require("day.close", day.center_id)
        if day.closed_at:
            raise AlreadyDone(f"{day.day:%B %-d, %Y} is closed already for {day.center.name}.")
        refuse_unfinished_tills(day)
        refuse_unsettled(day.center)
        _refuse_money_left(day)
        refuse_uncounted_end(day)
        _prove(day)
        return seal_business_day(actor, business_day_id, now)


def refuse_unfinished_tills(day: BusinessDay) -> None:
    """Raises Refused when a till of the day is still open or not verified."""
    unfinished = TillSession.objects.filter(business_day=day, verified_at=None)
    if session := unfinished.select_related("till", "cashier").order_by("closed_at").first():
        if session.closed_at:
            raise Refused(
                f"Till {session.till.code} of {session.cashier} is not verified yet; verify it "
                "first."
            )
        raise Refused(
            f"Till {session.till.code} of {session.cashier} is still open; close it first."
        )


_IN_TILLS = """
    SELECT a.code, sum(CASE WHEN t.debit_id = a.id THEN t.cents ELSE -t.cents END)
    FROM ledger_entry e
    JOIN ledger_transfer t ON t.entry_id = e.id
    JOIN ledger_ledgeraccount a ON a.id IN (t.debit_id, t.credit_id) AND a.code = ANY(%s)
    WHERE e.business_day_id = %s AND (%s::text[] IS NULL OR e.kind = ANY(%s))
    GROUP BY a.code
"""


def in_tills(day: BusinessDay, kinds_of_entries: list[str] | None = None) -> dict[str, int]:
    """What the day's entries put into the center's tills by kind of tender, in cents.

    kinds_of_entries: only entries of these kinds; None for all, which is what still lies there.
    """
    kinds = ("cash", "check", "money_order", "card")
    codes = {chart.till_code(day.center.code, kind): kind for kind in kinds}
    found = rows(_IN_TILLS, [list(codes), day.pk, kinds_of_entries, kinds_of_entries])
    return dict.fromkeys(kinds, 0) | {codes[code]: int(cents) for code, cents in found}


def _refuse_money_left(day: BusinessDay) -> None:
    for kind, cents in in_tills(day).items():
        if cents:
            raise Refused(
                f"{show_cents(cents)} ({kind.replace('_', ' ')}) still lies in the tills of "
                f"{day.center.name}; make its deposit first."
            )


_BY_RECEIPTS = """
    SELECT n.kind, sum(n.cents) FROM (
        SELECT t.kind, t.cents FROM cashiering_tender t
        JOIN cashiering_receipt r ON r.id = t.receipt_id
        JOIN cashiering_tillsession s ON s.id = r.session_id
        WHERE s.business_day_id = %(day)s AND r.void_entry_id IS NULL
        UNION ALL
        SELECT 'cash', -r.change_cents FROM cashiering_receipt r
        JOIN cashiering_tillsession s ON s.id = r.session_id
        WHERE s.business_day_id = %(day)s AND r.void_entry_id IS NULL) n
    GROUP BY n.kind
"""


def _prove(day: BusinessDay) -> None:
    """The receipts of the day add up, tender by tender, to what its entries moved."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_RECEIPTS, {"day": day.pk})
        by_receipts = {kind: int(cents) for kind, cents in cursor.fetchall()}
    for kind, moved in in_tills(day, ["payment", "void"]).items():
        if by_receipts.get(kind, 0) != moved:
            raise DoesNotAddUp(
                f"{day.center.name}: the receipts of {day.day:%B %-d, %Y} say "
                f"{show_cents(by_receipts.get(kind, 0))} in {kind.replace('_', ' ')}, the ledger "
                f"{show_cents(moved)}; nothing was closed, call the accountant."
            )
