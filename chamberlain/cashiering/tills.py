"""Opening a drawer, and taking cash out of one that got too full."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max

from chamberlain.cashiering.counting import counted_cents
from chamberlain.cashiering.models import Count, Drop, NoSale, Tender, Till, TillSession
from chamberlain.cashiering.safe.gates import refuse_uncounted_start
from chamberlain.cashiering.tendering import REFERENCE_MAX, is_amount
from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Center, User
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.chart import ensure_center_accounts
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.queries import open_day

REASON_MAX = 120


def ensure_till(
    center: Center, code: str, *, cash_limit_cents: int = 500_000, printer_address: str = ""
) -> int:
    """Makes a till and its center's accounts in the books; returns its id. Harmless when there.

    printer_address: `host:port` of a network printer, or `file:path`.
    """
    ensure_center_accounts(center, list(Tender.Kind.values))
    till, _ = Till.objects.update_or_create(
        code=code,
        defaults={
            "center": center,
            "cash_limit_cents": cash_limit_cents,
            "printer_address": printer_address,
        },
    )
    return till.pk


def open_till(actor: Actor, till_id: int, counts: Mapping[int, int], now: datetime) -> int:
    """Opens a till for the actor with a counted float. Returns the session's id.

    counts: pieces by denomination in cents. Raises NotPermitted, Invalid (counts), NotFound,
    DayClosed when the center has no open day, AlreadyDone when the till is open or the cashier
    has another till open, Refused when the center's safe was not counted this morning.
    """
    actor.require("till.open")
    float_cents = counted_cents(counts)
    with transaction.atomic():
        till = (
            Till.objects.select_for_update(of=("self",))
            .select_related("center")
            .filter(pk=till_id)
            .first()
        )
        if till is None:
            raise NotFound("There is no such till; choose one of your center.")
        actor.require("till.open", till.center_id)
        day = _locked_open_day(till.center_id)
        if day is None:
            raise DayClosed(
                f"{till.center.name} has no open business day; ask the supervisor to open it."
            )
        refuse_uncounted_start(day)
        _refuse_second_drawer(actor, till)
        session = TillSession.objects.create(
            till=till,
            business_day=day,
            cashier_id=actor.user_id,
            opened_at=now,
            float_cents=float_cents,
            drawer_cents=float_cents,
            last_number=_last_number(till, day.pk),
        )
        record_count(session.pk, Count.Moment.OPENING, counts)
    return session.pk


def _locked_open_day(center_id: int) -> BusinessDay | None:
    """The center's open day, which cannot close before this till is open on it."""
    day = open_day(center_id)
    if day is None:
        return None
    return (
        BusinessDay.objects.select_for_update(no_key=True).filter(pk=day.pk, closed_at=None).first()
    )


def _refuse_second_drawer(actor: Actor, till: Till) -> None:
    # A cashier's own row is locked, so that they cannot open two tills at the same moment.
    User.objects.select_for_update(no_key=True).get(pk=actor.user_id)
    found = TillSession.objects.filter(closed_at=None).select_related("till", "cashier")
    if session := found.filter(till=till).first():
        raise AlreadyDone(
            f"Till {till.code} is open already, by {session.cashier}; close it there or take "
            "another till.",
            field="till",
        )
    if session := found.filter(cashier_id=actor.user_id).first():
        raise AlreadyDone(
            f"{actor.name} has till {session.till.code} open; close it before opening another.",
            field="till",
        )


def _last_number(till: Till, business_day_id: int) -> int:
    """Receipts are numbered through by till and day, also when a till is opened twice."""
    sessions = TillSession.objects.filter(till=till, business_day_id=business_day_id)
    return int(sessions.aggregate(last=Max("last_number"))["last"] or 0)


def record_count(session_id: int, moment: str, counts: Mapping[int, int]) -> None:
    """Keeps what was counted, denomination by denomination."""
    Count.objects.bulk_create(
        Count(session_id=session_id, moment=moment, denomination_cents=value, pieces=pieces)
        for value, pieces in sorted(counts.items(), reverse=True)
    )


def locked_session(session_id: int) -> TillSession:
    """A session whose drawer nobody else can use until the transaction ends. Raises NotFound."""
    found = (
        TillSession.objects.select_for_update(of=("self",), no_key=True)
        .select_related("till__center", "business_day", "cashier")
        .filter(pk=session_id)
        .first()
    )
    if found is None:
        raise NotFound(f"There is no till session {session_id}; look at the till board.")
    return found


def no_sale(actor: Actor, session_id: int, reason: str, now: datetime) -> int:
    """Keeps that the actor's drawer was opened without a payment, and why; returns its id.

    Raises NotPermitted, NotFound, Invalid (no reason), Refused for another's or a closed drawer.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid(
            f"Say why the drawer is opened, in at most {REASON_MAX} characters.", field="reason"
        )
    with transaction.atomic():
        session = locked_session(session_id)
        actor.require("payment.take", session.till.center_id)
        if session.cashier_id != actor.user_id or session.closed_at:
            raise Refused(
                f"Till {session.till.code} is not yours or is closed; only its cashier opens the "
                "drawer."
            )
        return NoSale.objects.create(session=session, reason=reason, opened_at=now).pk


def make_drop(actor: Actor, session_id: int, cents: int, bag_number: str, now: datetime) -> int:
    """Takes cash out of a drawer into the center's safe. The actor is not the drawer's cashier.

    The money stays in the books as cash of the tills until the day's deposit. Returns the drop's
    id. Raises NotPermitted, Invalid, NotFound, and Refused when the till is closed or holds less
    above its float.
    """
    actor.require("till.verify")
    bag = bag_number.strip()
    if not bag or len(bag) > REFERENCE_MAX:
        raise Invalid("A drop goes into a numbered bag; type the bag's number.", field="bag_number")
    if not is_amount(cents):
        raise Invalid("The drop must be more than zero; type its amount.", field="cents")
    with transaction.atomic():
        session = locked_session(session_id)
        actor.require("till.verify", session.till.center_id)
        if session.cashier_id == actor.user_id:
            raise NotPermitted(
                "A drop is taken by another person than the cashier; call the supervisor."
            )
        if session.closed_at:
            raise Refused(f"Till {session.till.code} is closed; its cash goes into the deposit.")
        above = session.drawer_cents - session.float_cents
        if cents > above:
            raise Refused(
                f"Till {session.till.code} holds less than {show_cents(cents)} above its float; "
                "drop less.",
                field="cents",
            )
        drop = Drop.objects.create(
            session=session, cents=cents, bag_number=bag, taken_by_id=actor.user_id, taken_at=now
        )
        TillSession.objects.filter(pk=session_id).update(drawer_cents=F("drawer_cents") - cents)
    return drop.pk
