"""Vehicles that are booted and towed: who may be, what it costs, and when one is released."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.revenue.citations.models import Boot
from chamberlain.revenue.citations.terms import Terms, terms_on
from chamberlain.revenue.operations import Posting, charge_fee, next_number

PLACE_MAX = 120


@dataclass(frozen=True, slots=True)
class Eligible:
    """A vehicle that may be booted. because: in words; open_cents: of its final citations."""

    plate: str
    account_id: int
    account_number: str
    final: int
    old: int
    open_cents: int
    because: str


def plate_of(text: str) -> str:
    """A plate as it is kept: capitals and digits alone."""
    return "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())[:12]


_FINAL = """
    SELECT c.plate, max(o.account_id), count(*),
        count(*) FILTER (WHERE o.arose_on < %(old)s),
        sum(h.open)::bigint
    FROM citations_citation c
    JOIN revenue_obligation o ON o.id = c.obligation_id
    JOIN LATERAL (SELECT sum(x.cents - coalesce(s.settled_cents, 0)) AS open
        FROM revenue_obligationcharge y JOIN ledger_charge x ON x.id = y.charge_id
        LEFT JOIN ledger_settlement s ON s.charge_id = x.id
        WHERE y.obligation_id = o.id) h ON h.open > 0
    WHERE c.stage IN ('final', 'collection') AND c.plate <> ''
        AND (%(plate)s = '' OR c.plate = %(plate)s)
    GROUP BY c.plate
    HAVING count(*) >= %(count)s OR count(*) FILTER (WHERE o.arose_on < %(old)s) >= %(old_count)s
"""
_ELIGIBLE = f"""
    SELECT f.*, a.number FROM ({_FINAL}) f JOIN ledger_account a ON a.id = f.max
    WHERE NOT EXISTS (SELECT FROM citations_boot b
        WHERE b.plate = f.plate AND b.released_on IS NULL)
    ORDER BY f.sum DESC, f.plate LIMIT %(limit)s OFFSET %(offset)s
"""


def eligible(on: date, limit: int, offset: int = 0, plate: str = "") -> list[Eligible]:
    """Vehicles that may be booted and are not, those that owe most first."""
    terms = terms_on(on)
    found = rows(_ELIGIBLE, {**_wanted(terms, on, plate), "limit": limit, "offset": offset})
    return [
        Eligible(found_plate, account_id, number, final, old, cents, _because(terms, final, old))
        for found_plate, account_id, final, old, cents, number in found
    ]


def count_eligible(on: date) -> int:
    """How many vehicles may be booted and are not."""
    query = f"SELECT count(*) FROM ({_ELIGIBLE}) e"
    params = {**_wanted(terms_on(on), on, ""), "limit": None, "offset": 0}
    return int(rows(query, params)[0][0])


def _wanted(terms: Terms, on: date, plate: str) -> dict[str, object]:
    return {
        "old": on - timedelta(days=terms.boot_old_days),
        "count": terms.boot_count,
        "old_count": terms.boot_old_count,
        "plate": plate,
    }


def _because(terms: Terms, final: int, old: int) -> str:
    if final >= terms.boot_count:
        return f"{final} citations in final determination; {terms.boot_count} are enough"
    return (
        f"{old} citations in final determination are older than {terms.boot_old_days} days; "
        f"{terms.boot_old_count} are enough"
    )


def boot(actor: Actor, plate: str, place: str, posting: Posting, today: date) -> int:
    """Records that a vehicle was booted, and charges the fee. Returns the boot's id.

    Raises NotPermitted, Invalid (no place), Refused when the vehicle is not eligible, AlreadyDone.
    """
    actor.require("citation.boot")
    plate, place = plate_of(plate), place.strip()
    if not 0 < len(place) <= PLACE_MAX:
        raise Invalid(f"Say where it stands, in at most {PLACE_MAX} characters.", field="place")
    with transaction.atomic():
        if Boot.objects.filter(plate=plate, released_on=None).exists():
            raise AlreadyDone(f"{plate} is booted already.")
        found = eligible(today, 1, plate=plate) if plate else []
        if not found:
            raise Refused(
                f"{plate or 'This vehicle'} has not enough citations in final determination to be "
                "booted.",
                field="plate",
            )
        terms = terms_on(today)
        made = Boot.objects.create(
            plate=plate,
            account_id=found[0].account_id,
            eligible=found[0].because,
            place=place,
            booted_on=today,
            booted_by_id=actor.user_id,
        )
        _charge(actor, made, terms.boot_fee, posting, 1)
    return int(made.pk)


def tow(actor: Actor, boot_id: int, posting: Posting, today: date) -> None:
    """Records that a booted vehicle was towed to the pound, and charges the fee."""
    actor.require("citation.boot")
    with transaction.atomic():
        found = _locked(boot_id)
        if found.towed_on:
            raise AlreadyDone(f"{found.plate} was towed before.")
        found.towed_on, found.towed_by_id = today, actor.user_id
        found.stored_until = today
        found.save(update_fields=["towed_on", "towed_by", "stored_until"])
        _charge(actor, found, terms_on(today).tow_fee, posting, 1)


def charge_storage(actor: Actor, boot_id: int, posting: Posting, today: date) -> int:
    """Charges the days in the pound up to today that were not charged yet; returns how many.

    The first days have one price, later ones another. Raises Refused when it was not towed.
    """
    actor.require("citation.boot")
    with transaction.atomic():
        found = _locked(boot_id)
        if found.towed_on is None or found.stored_until is None:
            raise Refused(f"{found.plate} is not in the pound.")
        terms = terms_on(today)
        charged = (found.stored_until - found.towed_on).days
        wanted = (today - found.towed_on).days
        at_first = max(min(wanted, terms.storage_days) - charged, 0)
        later = wanted - charged - at_first
        key = posting.idempotency_key or ""
        for times, fee, part in (
            (at_first, terms.storage_fee, "first"),
            (later, terms.storage_fee_after, "later"),
        ):
            if times > 0:
                own = Posting(posting.business_day_id, posting.now, f"{key}:{part}")
                _charge(actor, found, fee, own, times)
        found.stored_until = max(today, found.stored_until)
        found.save(update_fields=["stored_until"])
    return max(wanted - charged, 0)


def release(actor: Actor, boot_id: int, today: date) -> None:
    """Records that a vehicle was released: nothing is open on what it was held for.

    Raises Refused with what is still open, or when days in the pound are not charged yet.
    """
    actor.require("citation.boot")
    with transaction.atomic():
        found = _locked(boot_id)
        if found.stored_until is not None and found.stored_until < today:
            raise Refused(f"The days of {found.plate} in the pound are not charged up to today.")
        open_cents = still_open(found.plate)
        if open_cents:
            raise Refused(
                f"{show_cents(open_cents)} is open on {found.plate}: citations in final "
                "determination, boot, tow and storage. It is released when that is paid."
            )
        found.released_on, found.released_by_id = today, actor.user_id
        found.save(update_fields=["released_on", "released_by"])


_STILL_OPEN = """
    SELECT coalesce(sum(x.cents - coalesce(s.settled_cents, 0)), 0)::bigint
    FROM revenue_obligation o
    JOIN revenue_obligationcharge y ON y.obligation_id = o.id
    JOIN ledger_charge x ON x.id = y.charge_id
    LEFT JOIN ledger_settlement s ON s.charge_id = x.id
    WHERE (o.id IN (SELECT c.obligation_id FROM citations_citation c
            WHERE c.plate = %(plate)s AND c.stage IN ('final', 'collection')))
        OR (o.kind = 'fee' AND o.subject = 'Boot ' || %(plate)s)
"""


def still_open(plate: str) -> int:
    """What is open on a vehicle's final citations and on what booting it cost, in cents."""
    return int(rows(_STILL_OPEN, {"plate": plate})[0][0])


def _charge(actor: Actor, found: Boot, fee: str, posting: Posting, times: int) -> None:
    charge_fee(
        actor, found.account_id, next_number(), fee, f"Boot {found.plate}", posting, times=times
    )


def _locked(boot_id: int) -> Boot:
    found = Boot.objects.select_for_update().filter(pk=boot_id).first()
    if found is None:
        raise NotFound("There is no such boot; look at the list.")
    if found.released_on:
        raise AlreadyDone(f"{found.plate} was released on {found.released_on:%B %-d, %Y}.")
    return found
