"""What is looked up in reconciliation: deposits, bank files and lines, a day's differences."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db.models import Count, Q

from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.bank_lines import open_lines
from chamberlain.reconciliation.matches import possible_matches
from chamberlain.reconciliation.matching.rules import CONFIDENCE
from chamberlain.reconciliation.models import (
    BankFile,
    BankLine,
    BookedLine,
    Deposit,
    Reconciliation,
)
from chamberlain.reconciliation.sign_off import Figures, figures


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A deposit, and where the bank shows it. matched_because is "" while it is on its way."""

    deposit_id: int
    number: str
    center_code: str
    center_name: str
    business_day_id: int
    day: date
    tender_kind: str
    cents: int
    bag_number: str
    made_by: str
    made_at: datetime
    matched_because: str
    value_on: date | None
    sealed_with: str = ""
    courier: str = ""
    picked_up_at: datetime | None = None
    receipt_number: str = ""
    receipt_cents: int | None = None


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a bank statement; credits are positive. became: what it was found to be, or ""."""

    line_id: int
    account_number: str
    value_on: date
    cents: int
    type_code: str
    bank_reference: str
    customer_reference: str
    text: str
    file_name: str
    became: str
    is_part: bool


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement of a file. unexplained_cents: closing less opening less lines, if both told."""

    statement_id: int
    account_number: str
    account_name: str
    as_of: date
    opening_cents: int | None
    closing_cents: int | None
    lines: tuple[LineRow, ...]
    is_replaced: bool

    @property
    def unexplained_cents(self) -> int | None:
        """What the movements do not explain of the change of balance; None if not told."""
        if self.opening_cents is None or self.closing_cents is None:
            return None
        return self.closing_cents - self.opening_cents - sum(line.cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that was read."""

    file_id: int
    name: str
    read_at: datetime
    read_by: str
    statements: int
    lines: int


@dataclass(frozen=True, slots=True)
class FileView:
    """A file with its statements."""

    file_id: int
    name: str
    sha256: str
    read_at: datetime
    read_by: str
    statements: tuple[StatementRow, ...]


@dataclass(frozen=True, slots=True)
class Possibility:
    """Deposits and lines that may be the same money.

    kind: `clear` (the program posts it when asked), `suggested` (a rule found it, a person
    decides), `ambiguous` or `differing`. why: of a rule, else "".
    """

    kind: str
    deposits: tuple[DepositRow, ...]
    lines: tuple[LineRow, ...]
    confidence: int = 0
    why: str = ""

    @property
    def deposits_cents(self) -> int:
        """What was deposited."""
        return sum(row.cents for row in self.deposits)

    @property
    def lines_cents(self) -> int:
        """What the bank shows."""
        return sum(row.cents for row in self.lines)

    @property
    def difference_cents(self) -> int:
        """What the bank shows above (or below) the deposits."""
        return self.lines_cents - self.deposits_cents


@dataclass(frozen=True, slots=True)
class Age:
    """How much waits since so many days. label: `up to 3 days` and so on."""

    label: str
    deposits: int
    deposits_cents: int
    lines: int
    lines_cents: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Something of a day that does not agree, as a sentence."""

    sentence: str
    cents: int


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """A center's day for the page, the differences first. figures are as they are now."""

    business_day_id: int
    center_code: str
    center_name: str
    day: date
    is_closed: bool
    differences: tuple[Difference, ...]
    figures: Figures
    deposits: tuple[DepositRow, ...]
    note: str
    prepared_by: str
    prepared_by_id: int | None
    prepared_at: datetime | None
    signed_by: str
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReconciliationRow:
    """A day in the list of reconciliations. state: `open`, `to prepare`, `to sign`, `signed`."""

    business_day_id: int
    center_code: str
    center_name: str
    day: date
    state: str


def deposits_of_day(business_day_id: int) -> list[DepositRow]:
    """The deposits of a center's day."""
    return _deposits(Q(business_day_id=business_day_id))


def unmatched_deposits() -> list[DepositRow]:
    """Deposits that no statement shows yet, the oldest first."""
    return _deposits(Q(matched=None))


def bags_in_safe(center_id: int) -> list[DepositRow]:
    """A center's bags that no courier took and the bank does not show, the oldest first."""
    return _deposits(
        Q(business_day__center_id=center_id, picked_up=None, matched=None) & ~Q(tender_kind="card")
    )


def _deposits(condition: Q) -> list[DepositRow]:
    found = (
        Deposit.objects.filter(condition)
        .select_related(
            "business_day__center",
            "made_by",
            "matched__match",
            "seal__sealed_with",
            "picked_up__pickup",
            "bank_receipt",
        )
        .prefetch_related("matched__match__lines__line")
    )
    return [_deposit_row(deposit) for deposit in found.order_by("business_day__day", "pk")]


def _deposit_row(deposit: Deposit) -> DepositRow:
    center = deposit.business_day.center
    matched = getattr(deposit, "matched", None)
    match = matched.match if matched else None
    seal, picked_up, receipt = (
        getattr(deposit, name, None) for name in ("seal", "picked_up", "bank_receipt")
    )
    return DepositRow(
        deposit_id=deposit.pk,
        number=deposit.number,
        center_code=center.code,
        center_name=center.name,
        business_day_id=deposit.business_day_id,
        day=deposit.business_day.day,
        tender_kind=deposit.tender_kind,
        cents=deposit.cents,
        bag_number=deposit.bag_number,
        made_by=str(deposit.made_by),
        made_at=deposit.made_at,
        matched_because=match.reason if match else "",
        value_on=max(each.line.value_on for each in match.lines.all()) if match else None,
        sealed_with=str(seal.sealed_with) if seal else "",
        courier=picked_up.pickup.courier if picked_up else "",
        picked_up_at=picked_up.pickup.handed_at if picked_up else None,
        receipt_number=receipt.number if receipt else "",
        receipt_cents=receipt.cents if receipt else None,
    )


def unmatched_lines(limit: int | None = None, offset: int = 0) -> list[LineRow]:
    """Lines of the bank, credits and debits, that are nothing yet, the oldest first."""
    found = open_lines().select_related("statement__bank_account", "statement__file")
    end = None if limit is None else offset + limit
    return [_line_row(line) for line in found.order_by("value_on", "pk")[offset:end]]


def bank_line(line_id: int) -> LineRow:
    """A line of the bank. Raises NotFound."""
    line = (
        BankLine.objects.select_related("statement__bank_account", "statement__file")
        .filter(pk=line_id)
        .first()
    )
    if line is None:
        raise NotFound("There is no such line of the bank.")
    return _line_row(line)


def deposit(deposit_id: int) -> DepositRow:
    """A deposit. Raises NotFound."""
    found = _deposits(Q(pk=deposit_id))
    if not found:
        raise NotFound("There is no such deposit.")
    return found[0]


def count_unmatched_lines() -> int:
    """How many lines of the bank are nothing yet."""
    return open_lines().count()


def _line_row(line: BankLine) -> LineRow:
    return LineRow(
        line_id=line.pk,
        account_number=line.statement.bank_account.number,
        value_on=line.value_on,
        cents=line.cents,
        type_code=line.type_code,
        bank_reference=line.bank_reference,
        customer_reference=line.customer_reference,
        text=line.text,
        file_name=line.statement.file.name,
        became=_became(line),
        is_part=line.part_of_id is not None,
    )


def _became(line: BankLine) -> str:
    """What a line was found to be, itself or as the line that it repeats."""
    while line.same_as is not None:
        line = line.same_as
    if matched := getattr(line, "matched", None):
        deposits = matched.match.deposits.select_related("deposit")
        return ", ".join(each.deposit.number for each in deposits)
    if booked := getattr(line, "booked", None):
        return str(BookedLine.Kind(booked.kind).label)
    if hasattr(line, "returned"):
        return "Returned payment"
    return "Split" if line.parts.exists() else ""


def possibilities(today: date, limit: int = 200) -> list[Possibility]:
    """What would be matched, what a person must decide, and what differs; at most so many."""
    possible = possible_matches(today)
    matches = possible.matches
    wanted: list[tuple[str, list[int], list[int], int, str]] = []
    for kind, frame in (("differing", matches.differing), ("ambiguous", matches.ambiguous)):
        wanted += [
            (kind, [deposit_id], [line_id], 0, "")
            for deposit_id, line_id in frame.head(limit).iter_rows()
        ]
    parts: dict[tuple[int, str], list[int]] = {}
    groups = matches.groups.sort("group").with_columns(
        is_clear=pl.col("group").is_in(list(possible.posts_itself))
    )
    shown = groups.sort("is_clear", maintain_order=True).head(limit)
    for group, side, part in matches.parts.join(
        shown.select("group"), on="group", how="semi"
    ).iter_rows():
        parts.setdefault((group, side), []).append(part)
    wanted += [
        (
            "clear" if is_clear else "suggested",
            parts[group, "deposit"],
            parts[group, "line"],
            CONFIDENCE[rule],
            possible.reasons[group],
        )
        for group, rule, is_clear in shown.select("group", "rule", "is_clear").iter_rows()
    ]
    wanted = wanted[:limit]
    deposit_ids = {each for _, ids, _, _, _ in wanted for each in ids}
    line_ids = {each for _, _, ids, _, _ in wanted for each in ids}
    deposits = {row.deposit_id: row for row in _deposits(Q(pk__in=deposit_ids))}
    lines = {
        line.pk: _line_row(line)
        for line in BankLine.objects.filter(pk__in=line_ids).select_related(
            "statement__bank_account", "statement__file"
        )
    }
    return [
        Possibility(
            kind,
            tuple(deposits[each] for each in sorted(these)),
            tuple(lines[each] for each in sorted(those)),
            confidence,
            why,
        )
        for kind, these, those, confidence, why in wanted
    ]


def count_clear(today: date) -> int:
    """How many matches the program would post when asked."""
    return len(possible_matches(today).posts_itself)


_AGES = """
    WITH bands (place, label, low, high) AS (VALUES
        (1, 'up to 3 days', -100000, 3), (2, '4 to 7 days', 4, 7), (3, '8 to 30 days', 8, 30),
        (4, 'more than 30 days', 31, 1000000)),
    deposits AS (
        SELECT %(today)s::date - b.day AS age, d.cents FROM reconciliation_deposit d
        JOIN ledger_businessday b ON b.id = d.business_day_id
        WHERE NOT EXISTS (SELECT FROM reconciliation_matcheddeposit m WHERE m.deposit_id = d.id)),
    lines AS (
        SELECT %(today)s::date - l.value_on AS age, l.cents FROM reconciliation_bankline l
        JOIN reconciliation_statement s ON s.id = l.statement_id
        WHERE l.same_as_id IS NULL
            AND (l.part_of_id IS NOT NULL
                OR NOT EXISTS (SELECT FROM reconciliation_statement r WHERE r.replaces_id = s.id))
            AND NOT EXISTS (SELECT FROM reconciliation_matchedline m WHERE m.line_id = l.id)
            AND NOT EXISTS (SELECT FROM reconciliation_bookedline m WHERE m.line_id = l.id)
            AND NOT EXISTS (SELECT FROM returned_returneditem m WHERE m.line_id = l.id)
            AND NOT EXISTS (SELECT FROM reconciliation_bankline p WHERE p.part_of_id = l.id))
    SELECT b.label,
        (SELECT count(*) FROM deposits d WHERE d.age BETWEEN b.low AND b.high),
        (SELECT coalesce(sum(cents), 0)::bigint FROM deposits d
            WHERE d.age BETWEEN b.low AND b.high),
        (SELECT count(*) FROM lines l WHERE l.age BETWEEN b.low AND b.high),
        (SELECT coalesce(sum(cents), 0)::bigint FROM lines l WHERE l.age BETWEEN b.low AND b.high)
    FROM bands b ORDER BY b.place
"""


def ages(today: date) -> list[Age]:
    """What waits, by how long it has waited."""
    return [Age(*row) for row in rows(_AGES, {"today": today})]


def bank_files(limit: int = 100) -> list[FileRow]:
    """Files that were read, the latest first."""
    found = BankFile.objects.defer("content").select_related("read_by")
    counted = found.annotate(
        days=Count("statements", distinct=True), movements=Count("statements__lines")
    )
    return [
        FileRow(file.pk, file.name, file.read_at, str(file.read_by), file.days, file.movements)
        for file in counted.order_by("-pk")[:limit]
    ]


def bank_file(file_id: int) -> FileView:
    """A file with its statements and lines. Raises NotFound."""
    file = BankFile.objects.defer("content").select_related("read_by").filter(pk=file_id).first()
    if file is None:
        raise NotFound("There is no such bank file.")
    statements = file.statements.select_related("bank_account", "replaced_by").order_by("pk")
    return FileView(
        file_id=file.pk,
        name=file.name,
        sha256=file.sha256,
        read_at=file.read_at,
        read_by=str(file.read_by),
        statements=tuple(
            StatementRow(
                statement_id=statement.pk,
                account_number=statement.bank_account.number,
                account_name=statement.bank_account.name,
                as_of=statement.as_of,
                opening_cents=statement.opening_cents,
                closing_cents=statement.closing_cents,
                lines=tuple(
                    _line_row(line)
                    for line in statement.lines.select_related(
                        "statement__bank_account", "statement__file", "same_as", "matched", "booked"
                    )
                    .filter(part_of=None)
                    .order_by("position")
                ),
                is_replaced=hasattr(statement, "replaced_by"),
            )
            for statement in statements
        ),
    )


def reconciliation(business_day_id: int) -> ReconciliationView:
    """A center's day with its differences. Raises NotFound."""
    day = BusinessDay.objects.select_related("center").filter(pk=business_day_id).first()
    if day is None:
        raise NotFound("There is no such business day.")
    prepared = (
        Reconciliation.objects.select_related("prepared_by", "signed_by")
        .filter(business_day=day)
        .first()
    )
    deposits = deposits_of_day(day.pk)
    now = figures(day.pk)
    return ReconciliationView(
        business_day_id=day.pk,
        center_code=day.center.code,
        center_name=day.center.name,
        day=day.day,
        is_closed=day.closed_at is not None,
        differences=tuple(_differences(now, deposits)),
        figures=now,
        deposits=tuple(deposits),
        note=prepared.note if prepared else "",
        prepared_by=str(prepared.prepared_by) if prepared else "",
        prepared_by_id=prepared.prepared_by_id if prepared else None,
        prepared_at=prepared.prepared_at if prepared else None,
        signed_by=str(prepared.signed_by) if prepared and prepared.signed_by else "",
        signed_at=prepared.signed_at if prepared else None,
    )


def _differences(now: Figures, deposits: list[DepositRow]) -> list[Difference]:
    found = []
    if now.over_short_cents:
        word = "over" if now.over_short_cents > 0 else "short"
        found.append(
            Difference(
                f"The tills were {show_cents(abs(now.over_short_cents))} {word}.",
                now.over_short_cents,
            )
        )
    if now.deposit_difference_cents:
        found.append(
            Difference(
                f"Deposits differ by {show_cents(now.deposit_difference_cents)} from what was "
                "found in the tills.",
                now.deposit_difference_cents,
            )
        )
    found += [
        Difference(
            f"The bank's receipt {d.receipt_number} for deposit {d.number} says "
            f"{show_cents(d.receipt_cents)}, and the bag was {show_cents(d.cents)}.",
            d.receipt_cents - d.cents,
        )
        for d in deposits
        if d.receipt_cents is not None and d.receipt_cents != d.cents
    ]
    found += [
        Difference(
            f"Deposit {d.number} of {show_cents(d.cents)} (bag {d.bag_number}) is not on a bank "
            "statement yet.",
            -d.cents,
        )
        for d in deposits
        if not d.matched_because
    ]
    return found


def reconciliations(
    limit: int = 60, center_ids: Collection[int] | None = None
) -> list[ReconciliationRow]:
    """The latest business days of these centers or of all, with how far their reconciliation is."""
    days = BusinessDay.objects.select_related("center", "reconciliation").order_by("-day", "pk")
    if center_ids is not None:
        days = days.filter(center_id__in=center_ids)
    return [
        ReconciliationRow(day.pk, day.center.code, day.center.name, day.day, _state(day))
        for day in days[:limit]
    ]


def _state(day: BusinessDay) -> str:
    if day.closed_at is None:
        return "open"
    prepared = getattr(day, "reconciliation", None)
    if prepared is None:
        return "to prepare"
    return "signed" if prepared.signed_at else "to sign"
