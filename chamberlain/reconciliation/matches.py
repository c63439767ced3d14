"""Finding the deposits on the bank's statements, and posting what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection, transaction

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import NO_CHARGES, EntryFrames, post_frames
from chamberlain.reconciliation.bank_lines import (
    open_line,
    open_lines,
    posting_day,
    reason_of,
    require_second,
)
from chamberlain.reconciliation.matching.groups import PARTS
from chamberlain.reconciliation.matching.pairs import DEPOSITS, LINES
from chamberlain.reconciliation.matching.rules import CONFIDENCE, Matches, match
from chamberlain.reconciliation.models import Deposit
from chamberlain.reconciliation.terms import Terms, terms_on
from chamberlain.reconciliation.turns import wait_for_turn

BY_HAND = "by hand"
TOGETHER_MAX = 200
_DEPOSITS = {**DEPOSITS, "tender": pl.String, "bag": pl.String}
_OPEN_DEPOSITS = """
    SELECT d.id, d.cents, b.day, upper(d.number), upper(d.bag_number), c.code, d.tender_kind,
        d.bag_number
    FROM reconciliation_deposit d
    JOIN ledger_businessday b ON b.id = d.business_day_id
    JOIN identity_center c ON c.id = b.center_id
    WHERE NOT EXISTS (SELECT FROM reconciliation_matcheddeposit m WHERE m.deposit_id = d.id)
        AND b.center_id = ANY(%s)
"""
_CENTERS = "SELECT id FROM identity_center"
# One of each: what is to be posted, before it has ids.
_GROUPS = {
    "group": pl.Int64,
    "rule": pl.String,
    "confidence": pl.Int64,
    "difference_cents": pl.Int64,
    "reason": pl.String,
    "approved_by_id": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Matched:
    """What a matching posted, and what it left to a person.

    found: ids of the deposits, ids of the lines and why, of each match. suggested: how many are
    below the city's confidence or above its amount.
    """

    found: tuple[tuple[tuple[int, ...], tuple[int, ...], str], ...]
    suggested: int
    ambiguous_deposit_ids: tuple[int, ...]
    differing: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Possible:
    """Everything that waits, with what it may be to each other. reasons: of groups, by group."""

    deposits: pl.DataFrame
    lines: pl.DataFrame
    matches: Matches
    reasons: dict[int, str]
    posts_itself: frozenset[int]


def possible_matches(today: date, actor: Actor | None = None) -> Possible:
    """What the deposits on their way and the open lines of the bank could be to each other.

    actor: only deposits of centers where they match deposits.
    """
    terms = terms_on(today)
    deposits, lines = _open_deposits(actor), _open_credits()
    matches = match(
        deposits.select(list(DEPOSITS)), lines, terms.within_days, terms.tolerance_cents
    )
    sums = (
        matches.parts.filter(pl.col("side") == "line")
        .join(lines.select("cents", id="line_id"), on="id")
        .group_by("group")
        .agg(pl.col("cents").sum())
    )
    return Possible(
        deposits,
        lines,
        matches,
        _reasons(matches, deposits, terms),
        frozenset(
            matches.groups.join(sums, on="group")
            .filter(
                pl.col("rule").replace_strict(CONFIDENCE, return_dtype=pl.Int64)
                >= terms.confidence,
                pl.col("cents") <= terms.up_to_cents,
            )["group"]
            .to_list()
        ),
    )


def _open_deposits(actor: Actor | None) -> pl.DataFrame:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute(_CENTERS)
        center_ids = [row[0] for row in cursor.fetchall()]
    if actor is not None:
        center_ids = [each for each in center_ids if actor.may("deposit.match", each)]
    return read_frame(connection.connection, _OPEN_DEPOSITS, _DEPOSITS, [center_ids])


def _open_credits() -> pl.DataFrame:
    found = open_lines().filter(cents__gt=0)
    rows = [
        (line_id, cents, value_on, " ".join(words))
        for line_id, cents, value_on, *words in found.values_list(
            "pk", "cents", "value_on", "bank_reference", "customer_reference", "text"
        )
    ]
    return pl.DataFrame(rows, schema=LINES, orient="row")


def _reasons(matches: Matches, deposits: pl.DataFrame, terms: Terms) -> dict[int, str]:
    """Why each group is thought to be the same money, in words."""
    bags = dict(deposits.select("deposit_id", "bag").iter_rows())
    amounts = dict(deposits.select("deposit_id", "cents").iter_rows())
    ids: dict[int, list[int]] = {}
    for group, deposit_id in (
        matches.parts.filter(pl.col("side") == "deposit")
        .sort("group", "id")
        .select("group", "id")
        .iter_rows()
    ):
        ids.setdefault(group, []).append(deposit_id)
    return {
        group: _why(rule, days, difference, [(bags[i], amounts[i]) for i in ids[group]], terms)
        for group, rule, days, difference in matches.groups.select(
            "group", "rule", "days", "difference_cents"
        ).iter_rows()
    }


def _why(rule: str, days: int, difference: int, bags: list[tuple[str, int]], terms: Terms) -> str:
    later = "the same day" if days == 0 else f"{days} day{'s' * (days > 1)} later"
    amount = show_cents(sum(cents for _, cents in bags))
    named = ", ".join(bag for bag, _ in bags[:4]) + (", …" if len(bags) > 4 else "")
    match rule:
        case "named":
            return f"{amount}, {later}, and the bank names bag {named} or its number"
        case "only":
            return (
                f"{amount}, {later}: the only deposit and the only credit of it in "
                f"{terms.within_days} days"
            )
        case "together":
            return f"{amount}, at most {later}: the bank names {named}, and both sides add up"
        case "one day":
            return f"{amount}, {later}: all that was left of the center's day ({named})"
        case "about":
            word = "more" if difference > 0 else "less"
            return (
                f"The bank names {named} and has {show_cents(abs(difference))} {word} than "
                f"{amount}, which the city lets pass"
            )
        case _:
            return f"{amount}, at most {later}: the only way to make it ({named})"


def match_deposits(actor: Actor, business_day_id: int, now: datetime) -> Matched:
    """Matches what is sure enough for the city and posts it on an open business day.

    Each match moves its deposits from the money on its way to the city's bank account, in an entry
    whose reason says why they are the same. What is less sure, or more money than the city lets
    the program post, is left for a person. Running it again changes nothing that was matched.
    Raises NotPermitted, NotFound, DayClosed.
    """
    actor.require("deposit.match")
    with transaction.atomic():
        day = posting_day(actor, business_day_id, "deposit.match")
        wait_for_turn()
        possible = possible_matches(day.day, actor)
        found = possible.matches
        groups = (
            found.groups.filter(pl.col("group").is_in(list(possible.posts_itself)))
            .with_columns(
                confidence=pl.col("rule").replace_strict(CONFIDENCE, return_dtype=pl.Int64),
                reason=pl.col("group").replace_strict(possible.reasons, return_dtype=pl.String)
                if possible.reasons
                else pl.lit(""),
                approved_by_id=pl.lit(None, pl.Int64),
            )
            .select(list(_GROUPS))
        )
        parts = found.parts.join(groups.select("group"), on="group", how="semi")
        _post(actor, day, groups, parts, possible.deposits, now)
    sides = {
        side: dict(
            parts.filter(pl.col("side") == side)
            .sort("id")
            .group_by("group", maintain_order=True)
            .agg("id")
            .iter_rows()
        )
        for side in ("deposit", "line")
    }
    return Matched(
        found=tuple(
            (tuple(sides["deposit"][group]), tuple(sides["line"][group]), reason)
            for group, reason in groups.select("group", "reason").sort("group").iter_rows()
        ),
        suggested=found.groups.height - groups.height,
        ambiguous_deposit_ids=tuple(found.ambiguous["deposit_id"].unique().sort().to_list()),
        differing=tuple(found.differing.select("deposit_id", "line_id").iter_rows()),
    )


def match_by_hand(
    actor: Actor,
    deposit_ids: Sequence[int],
    line_ids: Sequence[int],
    reason: str,
    business_day_id: int,
    now: datetime,
    approver: Actor | None = None,
) -> int:
    """Matches deposits with lines because a person knows why. Returns the match's id.

    One or more of each. A difference beyond the city's tolerance needs a second person's approval;
    it goes to over and short of the center, or to card fees when cards alone were deposited. Raises
    NotPermitted, Invalid, NotFound, AlreadyDone, DayClosed, Refused.
    """
    actor.require("deposit.match")
    reason = reason_of(reason, "why they are the same money")
    if not deposit_ids or not line_ids:
        raise Invalid("Choose at least one deposit and one line of the bank.", field="line")
    if max(len(deposit_ids), len(line_ids)) > TOGETHER_MAX:
        raise Invalid(f"Match at most {TOGETHER_MAX} at once.", field="line")
    with transaction.atomic():
        day = posting_day(actor, business_day_id, "deposit.match")
        wait_for_turn()
        lines = [open_line(line_id) for line_id in sorted(set(line_ids))]
        deposits = _chosen(actor, deposit_ids)
        difference = sum(line.cents for line in lines) - int(deposits["cents"].sum())
        if sum(line.cents for line in lines) <= 0:
            raise Refused("Those lines are no money that came in; choose others.", field="line")
        if abs(difference) > terms_on(day.day).tolerance_cents:
            what = f"A difference of {show_cents(abs(difference))}"
            require_second(actor, approver, "deposit.match", what)
        else:
            approver = None
        group = lines[0].pk
        parts = [(group, "deposit", each) for each in deposits["deposit_id"]]
        parts += [(group, "line", line.pk) for line in lines]
        return _post(
            actor,
            day,
            pl.DataFrame(
                [(group, BY_HAND, 100, difference, reason, approver.user_id if approver else None)],
                schema=_GROUPS,
                orient="row",
            ),
            pl.DataFrame(parts, schema=PARTS, orient="row"),
            deposits,
            now,
        )[0]


def _chosen(actor: Actor, deposit_ids: Sequence[int]) -> pl.DataFrame:
    wanted = sorted(set(deposit_ids))
    deposits = _open_deposits(None).filter(pl.col("deposit_id").is_in(wanted))
    for deposit_id in wanted:
        deposit = Deposit.objects.select_related("business_day").filter(pk=deposit_id).first()
        if deposit is None:
            raise NotFound("There is no such deposit.")
        actor.require("deposit.match", deposit.business_day.center_id)
        if deposit_id not in deposits["deposit_id"]:
            raise AlreadyDone(f"Deposit {deposit.number} is matched already.")
    return deposits


def _post(
    actor: Actor,
    day: BusinessDay,
    groups: pl.DataFrame,
    parts: pl.DataFrame,
    deposits: pl.DataFrame,
    now: datetime,
) -> list[int]:
    """Posts matches, one entry each. groups: as _GROUPS; deposits: as _DEPOSITS. Returns ids."""
    if groups.is_empty():
        return []
    database = connection.connection
    groups = groups.sort("group").with_columns(
        entry_id=next_ids(database, "ledger_entry", groups.height),
        match_id=next_ids(database, "reconciliation_match", groups.height),
    )
    bagged = (
        parts.filter(pl.col("side") == "deposit")
        .join(deposits, left_on="id", right_on="deposit_id")
        .join(groups, on="group")
        .sort("group", "id")
    )
    first = bagged.group_by("group", maintain_order=True).agg(
        document=pl.col("number").first(),
        center=pl.col("center").first(),
        is_cards=(pl.col("tender") == "card").all(),
    )
    groups = groups.join(first, on="group", maintain_order="left")
    moment = now.isoformat()
    entries = groups.select(
        id="entry_id",
        business_day_id=pl.lit(day.pk),
        kind=pl.lit("bank"),
        actor_id=pl.lit(actor.user_id),
        posted_at=pl.lit(moment),
        document="document",
        reason="reason",
        reverses_id=pl.lit(None, dtype=pl.Int64),
        idempotency_key=pl.lit(None, dtype=pl.String),
    )
    post_frames(database, EntryFrames(entries, NO_CHARGES, _transfers(bagged, groups)))
    copy_frame(
        database,
        "reconciliation_match",
        groups.select(
            "rule",
            "confidence",
            "difference_cents",
            "reason",
            "entry_id",
            "approved_by_id",
            id="match_id",
            matched_by_id=pl.lit(actor.user_id),
            matched_at=pl.lit(moment),
        ),
    )
    numbered = parts.join(groups.select("group", "match_id"), on="group")
    for side in ("deposit", "line"):
        of_side = numbered.filter(pl.col("side") == side)
        copy_frame(
            database,
            f"reconciliation_matched{side}",
            of_side.select("match_id", **{f"{side}_id": "id"}),
        )
    return groups["match_id"].to_list()


def _transfers(bagged: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """From the money on its way to the bank, and what differs."""
    bank = chart.ledger_account_id(chart.BANK)
    vaults = {
        (center, tender): chart.ledger_account_id(chart.vault_code(center, tender))
        for center, tender in bagged.select("center", "tender").unique().iter_rows()
    }
    rows = [
        (entry_id, bank, vaults[center, tender], cents)
        for entry_id, center, tender, cents in bagged.select(
            "entry_id", "center", "tender", "cents"
        ).iter_rows()
    ]
    for entry_id, center, is_cards, difference in (
        groups.filter(pl.col("difference_cents") != 0)
        .select("entry_id", "center", "is_cards", "difference_cents")
        .iter_rows()
    ):
        other = (
            chart.ensure_bank_line_account("card_fee")
            if is_cards
            else chart.ledger_account_id(chart.over_short_code(center))
        )
        rows.append(
            (entry_id, bank, other, difference)
            if difference > 0
            else (entry_id, other, bank, -difference)
        )
    return pl.DataFrame(
        rows,
        schema={
            "entry_id": pl.Int64,
            "debit_id": pl.Int64,
            "credit_id": pl.Int64,
            "cents": pl.Int64,
        },
        orient="row",
    ).with_columns(
        effect=pl.lit("none"),
        account_id=pl.lit(None, dtype=pl.Int64),
        charge_id=pl.lit(None, dtype=pl.Int64),
    )
