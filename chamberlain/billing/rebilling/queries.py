"""Rebills, what they showed, and what a clerk may choose from, for pages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound
from chamberlain.tariffs import queries as tariffs
from chamberlain.tariffs.schedule import Schedule


@dataclass(frozen=True, slots=True)
class LineFigures:
    """One side of a printed line."""

    cents: int
    quantity_thousandths: int
    rate_micros: int | None
    days: int
    unit: str


@dataclass(frozen=True, slots=True)
class LineChange:
    """A printed line, old against new; None on the side where there is none."""

    label: str
    old: LineFigures | None
    new: LineFigures | None

    @property
    def change_cents(self) -> int:
        """New less old."""
        return (self.new.cents if self.new else 0) - (self.old.cents if self.old else 0)


@dataclass(frozen=True, slots=True)
class BillChange:
    """A bill, old against new. number: "" when it was not billed before; replaced_by: "" until
    it is posted, and where nothing came in its place. to_on: the first day after.
    """

    account_number: str
    number: str
    replaced_by: str
    from_on: date
    to_on: date
    old_cents: int | None
    new_cents: int | None
    lines: tuple[LineChange, ...]

    @property
    def change_cents(self) -> int:
        """New less old."""
        return (self.new_cents or 0) - (self.old_cents or 0)


@dataclass(frozen=True, slots=True)
class RebillRow:
    """A rebill as lists show it."""

    rebill_id: int
    account_id: int
    account_number: str
    from_on: date
    to_on: date | None
    reason: str
    note: str
    status: str
    needs_approval: bool
    difference_cents: int
    moved_cents: int
    penalty_cents: int
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class RebillView:
    """A rebill with what was wrong, in words, and every bill, old against new."""

    row: RebillRow
    corrections: Corrections
    was_wrong: tuple[str, ...]
    bills: tuple[BillChange, ...]

    @property
    def old_cents(self) -> int:
        """What the bills that change came to."""
        return sum(bill.old_cents or 0 for bill in self.bills)

    @property
    def new_cents(self) -> int:
        """What they come to now."""
        return sum(bill.new_cents or 0 for bill in self.bills)


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason of the city's list."""

    code: str
    name: str
    is_beyond_limit: bool


@dataclass(frozen=True, slots=True)
class ReadToCorrect:
    """A read that stands and lies within the days asked about, at least in part."""

    read_id: int
    from_on: date
    to_on: date
    usage_thousandths: int
    unit: str
    quality: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What an account's tariffs know, and the tariffs of the city: (code, name)."""

    rate_classes: tuple[str, ...]
    meter_sizes: tuple[str, ...]
    exemptions: tuple[str, ...]
    tariffs: tuple[tuple[str, str], ...]


_ROWS = """
    SELECT r.id, r.account_id, a.number, r.from_on, r.to_on, s.name, r.note, r.status,
        r.needs_approval, r.difference_cents, r.moved_cents, r.penalty_cents, r.asked_by_id,
        coalesce(nullif(u.display_name, ''), u.username), r.asked_at,
        coalesce(nullif(d.display_name, ''), d.username, ''), r.decided_at
    FROM rebilling_rebill r
    JOIN ledger_account a ON a.id = r.account_id
    JOIN rebilling_reason s ON s.id = r.reason_id
    JOIN identity_user u ON u.id = r.asked_by_id
    LEFT JOIN identity_user d ON d.id = r.decided_by_id
"""


def rebill(rebill_id: int) -> RebillView:
    """One rebill with all that it shows. Raises NotFound."""
    found = rows(_ROWS + "WHERE r.id = %s", [rebill_id])
    if not found:
        raise NotFound(f"There is no rebill {rebill_id}; look at the account.")
    [(text, shown)] = rows(
        "SELECT corrections::text, shown::text FROM rebilling_rebill WHERE id = %s", [rebill_id]
    )
    row = RebillRow(*found[0])
    corrections = Corrections.of_json(json.loads(text))
    items = json.loads(shown)
    replaced = _replaced([item["number"] for item in items]) if row.status == "posted" else {}
    return RebillView(
        row,
        corrections,
        tuple(_in_words(corrections)),
        tuple(_bill(item, replaced) for item in items),
    )


def bill_changes(items: Sequence[dict[str, Any]]) -> tuple[BillChange, ...]:
    """Bills old against new that `showing.shown` made and that are not posted yet."""
    return tuple(_bill(item, {}) for item in items)


def rebills_of_account(account_id: int, limit: int = 50, offset: int = 0) -> list[RebillRow]:
    """Rebills of an account, the newest first; drafts that nobody asked for are left out."""
    where = """WHERE r.account_id = %s AND r.status <> 'draft' ORDER BY r.id DESC
        LIMIT %s OFFSET %s"""
    return [RebillRow(*row) for row in rows(_ROWS + where, [account_id, limit, offset])]


def count_rebills(account_id: int) -> int:
    """How many rebills `rebills_of_account` has."""
    query = "SELECT count(*) FROM rebilling_rebill WHERE account_id = %s AND status <> 'draft'"
    return int(rows(query, [account_id])[0][0])


def waiting(limit: int = 50, offset: int = 0) -> list[RebillRow]:
    """Rebills that wait for a second person, the oldest first."""
    where = "WHERE r.status = 'asked' ORDER BY r.id LIMIT %s OFFSET %s"
    return [RebillRow(*row) for row in rows(_ROWS + where, [limit, offset])]


def count_waiting() -> int:
    """How many rebills wait for a second person."""
    return int(rows("SELECT count(*) FROM rebilling_rebill WHERE status = 'asked'", [])[0][0])


def reasons() -> list[ReasonRow]:
    """The city's reasons."""
    query = "SELECT code, name, is_beyond_limit FROM rebilling_reason ORDER BY id"
    return [ReasonRow(*row) for row in rows(query, [])]


def reads_to_correct(
    account_id: int, from_on: date, to_on: date | None, limit: int = 200
) -> list[ReadToCorrect]:
    """Reads of an account's metered services that stand and touch the days, oldest first."""
    query = """
        SELECT DISTINCT r.id, r.from_on, r.to_on, r.usage_thousandths, r.unit, r.quality
        FROM billing_serviceagreement g
        JOIN metering_read r ON r.service_point_id = g.service_point_id
            AND g.period && daterange(r.from_on, r.to_on)
        WHERE g.account_id = %s AND g.is_metered AND r.to_on > %s
            AND r.from_on < coalesce(%s::date, 'infinity')
            AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
        ORDER BY r.from_on, r.id LIMIT %s
    """
    return [ReadToCorrect(*row) for row in rows(query, [account_id, from_on, to_on, limit])]


def choices(account_id: int) -> Choices:
    """What a clerk may choose from for an account, in the order of the alphabet."""
    query = """
        SELECT DISTINCT tariff_id FROM billing_serviceagreement
        WHERE account_id = %s AND NOT isempty(period)
    """
    schedules = [tariffs.schedule(row[0]) for row in rows(query, [account_id])]
    known = [each for each in schedules if isinstance(each, Schedule)]
    present = rows(
        """SELECT rate_class, meter_size, array_to_string(exemptions, ',')
           FROM billing_serviceagreement WHERE account_id = %s""",
        [account_id],
    )
    exemptions = {
        exemption.code
        for schedule in known
        for component in schedule.components
        for exemption in component.exemptions
    }
    return Choices(
        _sorted([*_values(known, "rate_class"), *(row[0] for row in present)]),
        _sorted([*_values(known, "meter_size"), *(row[1] for row in present)]),
        _sorted([*exemptions, *(code for row in present for code in row[2].split(","))]),
        tuple((row.code, row.name) for row in tariffs.tariff_rows()),
    )


def _sorted(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _values(schedules: Sequence[Schedule], attribute: str) -> list[str]:
    """The values of an attribute that tariffs have figures or lines for."""
    found: list[str] = []
    for schedule in schedules:
        for component in schedule.components:
            found += component.applies_to.get(attribute, ())
            if attribute in component.by:
                place = component.by.index(attribute)
                found += [
                    key.split("|")[place]
                    for version in component.versions
                    for key in version.values
                ]
    return found


def _replaced(numbers: Sequence[str]) -> dict[str, str]:
    query = """
        SELECT o.number, n.number FROM billing_bill o
        JOIN billing_bill n ON n.replaces_id = o.id WHERE o.number = ANY(%s)
    """
    return dict(rows(query, [list(numbers)]))


def _bill(item: dict[str, Any], replaced: dict[str, str]) -> BillChange:
    old, new = item["old"], item["new"]
    side = new or old
    return BillChange(
        item["account"],
        item["number"],
        replaced.get(item["number"], ""),
        date.fromisoformat(side["from_on"]),
        date.fromisoformat(side["to_on"]),
        old and old["cents"],
        new and new["cents"],
        tuple(
            LineChange(line["label"], _figures(line["old"]), _figures(line["new"]))
            for line in item["lines"]
        ),
    )


def _figures(found: dict[str, Any] | None) -> LineFigures | None:
    return None if found is None else LineFigures(**found)


def _in_words(corrections: Corrections) -> list[str]:
    said = [f"Nothing was due: bill {number}" for number in corrections.takes_back]
    said += [f"Billed again: the days of bill {number}" for number in corrections.bills_again]
    if corrections.reads:
        many = "read" if len(corrections.reads) == 1 else "reads"
        said.append(f"Usage of {len(corrections.reads)} {many}")
    if corrections.is_spread:
        said.append("Usage spread over the days")
    for name, value in (
        ("Rate class", corrections.rate_class),
        ("Dwelling units", corrections.dwelling_units),
        ("Meter size", corrections.meter_size),
        ("Tariff", corrections.tariff_code),
    ):
        if value is not None:
            said.append(f"{name}: {str(value).replace('_', ' ')}")
    if corrections.exemptions is not None:
        codes = ", ".join(code.replace("_", " ") for code in corrections.exemptions)
        said.append(f"Exemptions: {codes or 'none'}")
    if corrections.started_on is not None:
        said.append(f"First day of the account: {corrections.started_on:%B %-d, %Y}")
    return said or ["The rates as they stand now"]
