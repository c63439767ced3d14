"""What each true-up changes: its bills old against new, who decides it, and why it cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from chamberlain.billing.certificates.queries import certified_until
from chamberlain.billing.estimating.due import Due
from chamberlain.billing.estimating.terms import terms_on
from chamberlain.billing.penalties.reversing import penalties_to_reverse
from chamberlain.billing.rebilling import limits as limit_rules
from chamberlain.billing.rebilling import showing
from chamberlain.billing.rebilling.limits import BeyondLimit, Limits
from chamberlain.billing.rebilling.models import Reason
from chamberlain.billing.rebilling.operations import limits_on
from chamberlain.billing.rebilling.posting import not_to_be_taken_back, penalized_charges
from chamberlain.billing.rebilling.recomputing import Recomputed, kept
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.periods import add_months, day_in_words


@dataclass(frozen=True, slots=True)
class Weighed:
    """One true-up as it would be posted; refusal: why it cannot be, "" when it can.

    usages: trued up usage in thousandths by id of each read that changes. shown: bills old
    against new, as a rebill keeps them.
    """

    run_id: int
    service_point_id: int
    account_id: int
    account_number: str
    service_point: str
    serial: str
    first_on: date
    read_on: date
    estimates: int
    counted_thousandths: int
    total_thousandths: int | None
    unit: str
    usages: tuple[tuple[int, int], ...]
    shown: tuple[dict[str, Any], ...]
    difference_cents: int
    moved_cents: int
    penalty_cents: int
    needs_approval: bool
    refusal: str
    seen: str

    @property
    def is_right(self) -> bool:
        """The estimates were right, so nothing changes."""
        return not self.refusal and not self.usages

    @property
    def is_for_two(self) -> bool:
        """A second person decides it."""
        return not self.refusal and bool(self.usages) and self.needs_approval

    @property
    def is_posted_alone(self) -> bool:
        """One person may post it."""
        return not self.refusal and bool(self.usages) and not self.needs_approval

    @property
    def note(self) -> str:
        """What is said of it wherever a rebill's note is."""
        what = "1 estimate" if self.estimates == 1 else f"{self.estimates} estimates"
        return f"True-up of {what} by the read of {day_in_words(self.read_on)}"


def reason_id(code: str) -> int:
    """The id of a reason of rebilling. Raises NotFound."""
    found = Reason.objects.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no reason {code[:24]} of rebilling; load the city's files.")
    return int(found.pk)


def pairs_of(found: Recomputed, corrected: pl.DataFrame) -> pl.DataFrame:
    """Pairs that come of true-ups, with the run of each: old_id, row, run_id."""
    roots = corrected.select("run_id", root_id="read_id")
    old = found.old.select("old_id", old_root="root_id")
    new = found.new.select("row", new_root="root_id")
    return (
        found.pairs.join(old, on="old_id", how="left", maintain_order="left")
        .join(new, on="row", how="left", maintain_order="left")
        .with_columns(root_id=pl.coalesce("old_root", "new_root"))
        .join(roots, on="root_id", maintain_order="left")
        .select("old_id", "row", "run_id")
    )


@dataclass(frozen=True, slots=True)
class _City:
    """What all of them are weighed by."""

    limits: Limits
    is_beyond_limit: bool
    today: date
    alone: dict[int, int]
    certified: dict[int, date]
    penalties: dict[int, int]
    unratable: dict[int, str]
    labels: dict[int, str]
    numbers: dict[int, str]


def weigh(
    due: Due, corrected: pl.DataFrame, found: Recomputed | None, today: date
) -> list[Weighed]:
    """Each run of `due` as it would be posted, in its order."""
    city = _city(due, corrected, found, today)
    parts: dict[int, Recomputed] = {}
    forgiven: dict[int, str] = {}
    if found is not None:
        pairs = pairs_of(found, corrected)
        parts = {
            int(part["run_id"][0]): kept(found, part.select("old_id", "row"))
            for part in pairs.partition_by("run_id", maintain_order=True)
        }
        forgiven = _forgiven(parts, found)
    usages: dict[int, list[tuple[int, int]]] = {}
    for run_id, read_id, usage in corrected.select(
        "run_id", "read_id", "trued_thousandths"
    ).iter_rows():
        usages.setdefault(run_id, []).append((read_id, usage))
    weighed = [
        _one(row, parts.get(row["run_id"]), usages.get(row["run_id"], []), city,
             forgiven.get(row["run_id"], ""))
        for row in due.runs.iter_rows(named=True)
    ]  # fmt: skip
    return _together(weighed, city)


def _together(weighed: Sequence[Weighed], city: _City) -> list[Weighed]:
    """True-ups of one account count together towards the amount of a second person."""
    moved: dict[int, int] = {}
    for each in weighed:
        if not each.refusal:
            moved[each.account_id] = (
                moved.get(each.account_id, city.alone.get(each.account_id, 0))
                + each.moved_cents
                + each.penalty_cents
            )
    return [
        replace(
            each,
            needs_approval=each.needs_approval
            or moved.get(each.account_id, 0) >= city.limits.approval_cents,
        )
        for each in weighed
    ]


def _one(
    row: dict[str, Any],
    part: Recomputed | None,
    usages: Sequence[tuple[int, int]],
    city: _City,
    forgiven: str,
) -> Weighed:
    items = showing.shown(part, city.labels, city.numbers) if part is not None else []
    changes = showing.changes(items)
    penalty = sum(city.penalties.get(each, 0) for each in penalized_charges(part)) if part else 0
    account, until = row["account_id"], city.certified.get(row["account_id"])
    moved = sum(abs(change.cents) for change in changes)
    besides = penalty + city.alone.get(account, 0)
    refusal = row["refusal"] or city.unratable.get(row["run_id"], "") or forgiven
    return Weighed(
        run_id=row["run_id"],
        service_point_id=row["service_point_id"],
        account_id=account or 0,
        account_number=row["account_number"] or "",
        service_point=row["service_point"],
        serial=row["serial"],
        first_on=row["first_on"],
        read_on=row["read_on"],
        estimates=row["estimates"],
        counted_thousandths=row["counted_thousandths"],
        total_thousandths=row["total_thousandths"],
        unit=row["unit"],
        usages=tuple(usages),
        shown=tuple(items),
        difference_cents=sum(change.cents for change in changes),
        moved_cents=moved,
        penalty_cents=penalty,
        needs_approval=not changes
        or limit_rules.needs_second_person(changes, besides, city.limits)
        or (until is not None and row["first_on"] < until),
        refusal=refusal or _beyond(changes, city),
        seen=showing.digest([*items, {"run": row["run_id"], "usages": list(usages)}]),
    )


def _beyond(changes: Sequence[limit_rules.Change], city: _City) -> str:
    try:
        limit_rules.refuse_beyond(
            changes, city.limits, city.today, is_beyond_limit=city.is_beyond_limit
        )
    except BeyondLimit as refusal:
        return refusal.sentence
    return ""


def _forgiven(parts: dict[int, Recomputed], found: Recomputed) -> dict[int, str]:
    """Runs of whose bills something was forgiven, with the sentence."""
    said = not_to_be_taken_back(found)
    sentences = {}
    for run_id, part in parts.items() if said else ():
        charges = part.old_lines["charge_id"].drop_nulls().to_list()
        sentences[run_id] = next((said[charge] for charge in charges if charge in said), "")
    return sentences


_ALONE_SQL = """
    SELECT account_id, sum(moved_cents + penalty_cents)::bigint FROM rebilling_rebill
    WHERE account_id = ANY(%s) AND status = 'posted' AND decided_by_id = asked_by_id
        AND decided_at >= %s GROUP BY account_id
"""


def _city(due: Due, corrected: pl.DataFrame, found: Recomputed | None, today: date) -> _City:
    limits = limits_on(today)
    reason = Reason.objects.get(pk=reason_id(terms_on(today).true_up_reason))
    accounts = due.runs["account_id"].drop_nulls().unique().to_list()
    since = add_months(today, -limits.credit_months)
    return _City(
        limits=limits,
        is_beyond_limit=reason.is_beyond_limit,
        today=today,
        alone=dict(rows(_ALONE_SQL, [accounts, since])),
        certified=certified_until(accounts, today),
        penalties=penalties_to_reverse(penalized_charges(found)) if found else {},
        unratable=_unratable(corrected, found),
        labels=dict(rows("SELECT id, label FROM tariffs_component", [])),
        numbers=dict(
            rows(
                "SELECT id, number FROM ledger_account WHERE id = ANY(%s)",
                [_accounts(found, accounts)],
            )
        ),
    )


def _accounts(found: Recomputed | None, accounts: Sequence[int]) -> list[int]:
    if found is None:
        return list(accounts)
    return sorted({*found.old["account_id"].to_list(), *found.new["account_id"].to_list()})


def _unratable(corrected: pl.DataFrame, found: Recomputed | None) -> dict[int, str]:
    """Runs of which a bill cannot be rated as things stand, with the sentence."""
    if found is None or found.refusals.is_empty():
        return {}
    said = {
        old_id: f"Bill {number} cannot be rebilled: {sentence}"
        for old_id, number, sentence in found.refusals.select(
            "old_id", "number", "sentence"
        ).iter_rows()
    }
    runs = dict(corrected.select("read_id", "run_id").iter_rows())
    bills = rows("SELECT id, read_id FROM billing_bill WHERE id = ANY(%s)", [list(said)])
    return {runs[read_id]: said[bill_id] for bill_id, read_id in bills if read_id in runs}
