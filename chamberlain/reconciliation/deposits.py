"""Bagging a day's money for the bank, and finding it again on the bank's statements."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl
from django.db import transaction

from chamberlain.cashiering.closing import in_tills, refuse_unfinished_tills
from chamberlain.cashiering.models import Tender
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post
from chamberlain.reconciliation.matching import DEPOSITS, LINES, Matches, match, words_of
from chamberlain.reconciliation.models import BankLine, Deposit, Match
from chamberlain.reconciliation.turns import wait_for_turn

WITHIN_DAYS = 7
BAG_MAX = 40
REASON_MAX = 200


@dataclass(frozen=True, slots=True)
class Matched:
    """What a matching found: posted pairs as deposit id, line id, why; what is for a person."""

    found: tuple[tuple[int, int, str], ...]
    ambiguous_deposit_ids: tuple[int, ...]
    differing: tuple[tuple[int, int], ...]


def make_deposit(
    actor: Actor, business_day_id: int, tender_kind: str, bag_number: str, now: datetime
) -> int:
    """Bags all that lies in a center's tills of one kind of tender. Returns the deposit's id.

    It posts on the day that took the money, so it is made before that day closes, when all of its
    tills are closed and verified. For cards the bag is the terminal's batch. Raises NotPermitted,
    Invalid, NotFound, DayClosed, Refused (a till is unfinished, nothing lies there).
    """
    actor.require("deposit.make")
    bag = bag_number.strip()
    if not 0 < len(bag) <= BAG_MAX or not bag.isprintable():
        raise Invalid(
            f"A deposit goes in a numbered bag; type its number, at most {BAG_MAX} characters.",
            field="bag_number",
        )
    if tender_kind not in Tender.Kind.values:
        raise Invalid(
            f"There is no tender “{tender_kind[:20]}”; deposit cash, checks, money orders or "
            "cards.",
            field="tender_kind",
        )
    with transaction.atomic():
        day = _locked_day(actor, business_day_id, "deposit.make")
        refuse_unfinished_tills(day)
        cents = in_tills(day)[tender_kind]
        label = Tender.Kind(tender_kind).label.lower()
        if cents <= 0:
            raise Refused(
                f"No {label} lies in the tills of {day.center.name}; it was deposited before or "
                "none was taken."
            )
        number = _next_number(day)
        entry_id = post(
            NewEntry(
                business_day_id=day.pk,
                kind="deposit",
                actor_id=actor.user_id,
                posted_at=now,
                document=number,
                legs=[
                    Leg(
                        chart.ledger_account_id(chart.vault_code(day.center.code, tender_kind)),
                        chart.ledger_account_id(chart.till_code(day.center.code, tender_kind)),
                        cents,
                    )
                ],
                reason=f"Bag {bag}",
            )
        )
        return Deposit.objects.create(
            number=number,
            business_day=day,
            tender_kind=tender_kind,
            cents=cents,
            bag_number=bag,
            entry_id=entry_id,
            made_by_id=actor.user_id,
            made_at=now,
        ).pk


def _locked_day(actor: Actor, business_day_id: int, permission: str) -> BusinessDay:
    day = (
        BusinessDay.objects.select_for_update(of=("self",), no_key=True)
        .select_related("center")
        .filter(pk=business_day_id)
        .first()
    )
    if day is None:
        raise NotFound("There is no such business day.")
    actor.require(permission, day.center_id)
    if day.closed_at:
        raise DayClosed(
            f"{day.day:%B %-d, %Y} is closed for {day.center.name}; choose a day that is open."
        )
    return day


def _next_number(day: BusinessDay) -> str:
    """Deposits of a day are numbered through; the day is locked."""
    made = Deposit.objects.filter(business_day=day).count()
    return f"D{day.center.code}-{day.day:%Y%m%d}-{made + 1}"


def possible_matches(within_days: int = WITHIN_DAYS, actor: Actor | None = None) -> Matches:
    """What the deposits on their way and the open lines of the bank could be to each other.

    actor: only deposits of centers where they match deposits.
    """
    deposits = Deposit.objects.filter(match=None).select_related("business_day")
    rows = [
        (d.pk, d.cents, d.business_day.day, d.number, d.bag_number)
        for d in deposits
        if actor is None or actor.may("deposit.match", d.business_day.center_id)
    ]
    lines = [
        (
            line.pk,
            line.cents,
            line.value_on,
            words_of(line.bank_reference, line.customer_reference, line.text),
        )
        for line in open_lines()
        if line.cents > 0
    ]
    return match(
        pl.DataFrame(rows, schema=DEPOSITS, orient="row"),
        pl.DataFrame(lines, schema=LINES, orient="row"),
        within_days,
    )


def open_lines() -> list[BankLine]:
    """Lines of the statements in force that nothing was matched with, the oldest first."""
    found = BankLine.objects.filter(
        match=None, returned=None, same_as=None, statement__replaced_by=None
    )
    return list(
        found.select_related("statement__bank_account", "statement__file").order_by(
            "value_on", "pk"
        )
    )


def match_deposits(
    actor: Actor, business_day_id: int, now: datetime, within_days: int = WITHIN_DAYS
) -> Matched:
    """Matches what is clear and posts it on an open business day; lists what is not.

    Each pair moves the deposit from the money on its way to the city's bank account, in an entry
    whose reason says why they are the same. Running it again changes nothing that was matched.
    Raises NotPermitted, NotFound, DayClosed.
    """
    actor.require("deposit.match")
    with transaction.atomic():
        day = _locked_day(actor, business_day_id, "deposit.match")
        wait_for_turn()
        matches = possible_matches(within_days, actor)
        found = []
        for deposit_id, line_id, days, is_named in matches.found.select(
            "deposit_id", "line_id", "days", "is_named"
        ).iter_rows():
            deposit = Deposit.objects.select_related("business_day__center").get(pk=deposit_id)
            reason = _why(deposit, days, is_named, within_days)
            _post_match(actor, day, deposit, line_id, reason, now)
            found.append((deposit_id, line_id, reason))
    return Matched(
        found=tuple(found),
        ambiguous_deposit_ids=tuple(matches.ambiguous["deposit_id"].unique().sort().to_list()),
        differing=tuple(matches.differing.select("deposit_id", "line_id").iter_rows()),
    )


def _why(deposit: Deposit, days: int, is_named: bool, within_days: int) -> str:
    later = "the same day" if days == 0 else f"{days} day{'s' * (days > 1)} later"
    amount = show_cents(deposit.cents)
    if is_named:
        return f"{amount}, {later}, and the bank names bag {deposit.bag_number} or its number"
    return f"{amount}, {later}: the only deposit and the only credit of it in {within_days} days"


def match_by_hand(
    actor: Actor, deposit_id: int, line_id: int, reason: str, business_day_id: int, now: datetime
) -> int:
    """Matches a deposit with a line of the same amount because a person knows why.

    Returns the match's id. Raises NotPermitted, Invalid, NotFound, AlreadyDone, DayClosed,
    Refused (amounts differ, the line's statement was replaced).
    """
    actor.require("deposit.match")
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid(
            f"Say why they are the same money, in at most {REASON_MAX} characters.", field="reason"
        )
    with transaction.atomic():
        day = _locked_day(actor, business_day_id, "deposit.match")
        wait_for_turn()
        deposit = (
            Deposit.objects.select_related("business_day__center").filter(pk=deposit_id).first()
        )
        if deposit is None:
            raise NotFound("There is no such deposit.")
        actor.require("deposit.match", deposit.business_day.center_id)
        if Match.objects.filter(deposit=deposit).exists():
            raise AlreadyDone(f"Deposit {deposit.number} is matched already.")
        line = next((line for line in open_lines() if line.pk == line_id), None)
        if line is None:
            raise Refused(
                "That line of the bank is matched already or was replaced by a corrected "
                "statement; choose another.",
                field="line",
            )
        if line.cents != deposit.cents:
            raise Refused(
                f"The bank has {show_cents(line.cents)} and deposit {deposit.number} "
                f"{show_cents(deposit.cents)}; equal amounts only are matched. Call the bank.",
                field="line",
            )
        return _post_match(actor, day, deposit, line_id, reason, now)


def _post_match(
    actor: Actor, day: BusinessDay, deposit: Deposit, line_id: int, reason: str, now: datetime
) -> int:
    center = deposit.business_day.center.code
    entry_id = post(
        NewEntry(
            business_day_id=day.pk,
            kind="bank",
            actor_id=actor.user_id,
            posted_at=now,
            document=deposit.number,
            legs=[
                Leg(
                    chart.ledger_account_id(chart.BANK),
                    chart.ledger_account_id(chart.vault_code(center, deposit.tender_kind)),
                    deposit.cents,
                )
            ],
            reason=reason,
        )
    )
    return Match.objects.create(
        deposit=deposit,
        line_id=line_id,
        reason=reason,
        entry_id=entry_id,
        matched_by_id=actor.user_id,
        matched_at=now,
    ).pk
