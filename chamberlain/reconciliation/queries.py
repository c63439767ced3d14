"""What is looked up in reconciliation: deposits, bank files and lines, a day's differences."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q

from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.deposits import WITHIN_DAYS, open_lines, possible_matches
from chamberlain.reconciliation.models import BankFile, BankLine, Deposit, Reconciliation
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


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a bank statement; credits are positive. deposit_number is "" when unmatched."""

    line_id: int
    account_number: str
    value_on: date
    cents: int
    type_code: str
    bank_reference: str
    customer_reference: str
    text: str
    file_name: str
    deposit_number: str


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
    """A deposit and a line that may be the same money. kind: `clear`, `ambiguous`, `differing`."""

    kind: str
    deposit: DepositRow
    line: LineRow

    @property
    def difference_cents(self) -> int:
        """What the bank shows above (or below) the deposit."""
        return self.line.cents - self.deposit.cents


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
    return _deposits(Q(match=None))


def _deposits(condition: Q) -> list[DepositRow]:
    found = Deposit.objects.filter(condition).select_related(
        "business_day__center", "made_by", "match__line"
    )
    return [_deposit_row(deposit) for deposit in found.order_by("business_day__day", "pk")]


def _deposit_row(deposit: Deposit) -> DepositRow:
    center = deposit.business_day.center
    match = getattr(deposit, "match", None)
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
        value_on=match.line.value_on if match else None,
    )


def unmatched_lines() -> list[LineRow]:
    """Lines of the bank, credits and debits, that no deposit is matched with, oldest first."""
    return [_line_row(line) for line in open_lines()]


def _line_row(line: BankLine) -> LineRow:
    matched = line
    while matched.same_as is not None:
        matched = matched.same_as
    match = getattr(matched, "match", None)
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
        deposit_number=match.deposit.number if match else "",
    )


def possibilities(within_days: int = WITHIN_DAYS) -> list[Possibility]:
    """Pairs that would be matched, that a person must decide, and that differ in amount."""
    matches = possible_matches(within_days)
    deposits = {row.deposit_id: row for row in unmatched_deposits()}
    lines = {row.line_id: row for row in unmatched_lines()}
    return [
        Possibility(kind, deposits[deposit_id], lines[line_id])
        for kind, frame in (
            ("differing", matches.differing),
            ("ambiguous", matches.ambiguous),
            ("clear", matches.found),
        )
        for deposit_id, line_id in frame.select("deposit_id", "line_id").iter_rows()
    ]


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
                        "statement__bank_account", "statement__file", "same_as", "match__deposit"
                    ).order_by("position")
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
