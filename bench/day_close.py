"""A center's day of a hundred thousand receipts closed and proven.

Forty cashiers take the payments first, as `post_payment` does, which is not measured. Then the
evening as the operations do it: every till counted and closed against its transfers, verified,
the cash bagged, the day proven receipt by receipt against the ledger, closed and sealed with the
digest of each entry. The limit is the five seconds that somebody waits for it.
"""

import time
from datetime import datetime, timedelta

from bench import post_payment
from bench.figures import Figure
from bench.room import Room

TILLS = 40
LIMIT_SECONDS = 5.0
_RECEIPTS_A_SECOND = 2000


def measure(room: Room) -> list[Figure]:
    """Seconds from the first count to the seal."""
    receipts = room.accounts // 10
    room.database()
    taken, day_id = _taken(room, receipts)
    with room.connect(owner=True) as owner:
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")
    seconds = _close(day_id, post_payment.NOW + timedelta(hours=9))
    return [
        Figure(
            "day_close",
            round(seconds, 2),
            f"s for {taken} receipts",
            "what somebody waits for it",
            LIMIT_SECONDS,
            round(LIMIT_SECONDS / seconds, 3),
        )
    ]


def _taken(room: Room, receipts: int) -> tuple[int, int]:
    """At least so many receipts of one center's day, by four cashiers; how many, and the day."""
    from chamberlain.cashiering.models import Receipt, TillSession

    seconds = max(receipts // _RECEIPTS_A_SECOND, 2)
    work = post_payment.prepare(room, TILLS, seconds)
    post_payment.post(work, seconds)
    found = Receipt.objects.count()
    if found < receipts:
        raise RuntimeError(f"only {found} receipts were taken; the machine is busy")
    session = TillSession.objects.get(pk=work.first_session)
    return found, session.business_day_id


def _close(day_id: int, now: datetime) -> float:
    from django.db.models import Sum

    from chamberlain.cashiering.models import Tender, TillSession
    from chamberlain.cashiering.operations import close_center_day, close_till, verify_till
    from chamberlain.identity.actors import program_actor
    from chamberlain.reconciliation.operations import make_deposit

    sessions = list(TillSession.objects.filter(business_day_id=day_id).select_related("cashier"))
    taken = {
        row["receipt__session"]: int(row["cents"])
        for row in Tender.objects.values("receipt__session").annotate(cents=Sum("cents"))
    }
    counts = {
        session.pk: {10_000: taken[session.pk] // 10_000, 1000: taken[session.pk] % 10_000 // 1000}
        for session in sessions
    }
    closer = post_payment.supervisor("closes", sessions[0].till.center_id)
    actor = post_payment.supervisor("verifies", sessions[0].till.center_id)
    started = time.perf_counter()
    for session in sessions:
        closed = close_till(closer, session.pk, counts[session.pk], 0, now)
        if closed.over_short_cents:
            raise RuntimeError("a till is over or short")
    for session in sessions:
        verify_till(actor, session.pk, now)
    make_deposit(actor, day_id, "cash", "BAG-1", now)
    close_center_day(program_actor(), day_id, now)
    return time.perf_counter() - started
