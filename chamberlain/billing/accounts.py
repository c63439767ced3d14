"""What billing knows of one account: its agreements, and what its charges were billed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chamberlain.billing.queries import LineRow, line_row
from chamberlain.database.rows import rows as _rows


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """A service agreement as the account's page shows it. to_on: the first day after it."""

    agreement_id: int
    tariff_code: str
    tariff: str
    rate_class: str
    is_metered: bool
    meter_size: str
    meter_serial: str
    dwelling_units: int
    exemptions: tuple[str, ...]
    cycle_months: int
    from_on: date
    to_on: date | None
    address: str
    service_point: str


@dataclass(frozen=True, slots=True)
class Billed:
    """The printed line that raised a charge, its bill and the read behind it."""

    bill_number: str
    from_on: date
    to_on: date
    usage_thousandths: int | None
    unit: str | None
    quality: str | None
    read_on: date | None
    register: int | None
    line: LineRow


@dataclass(frozen=True, slots=True)
class ReadRow:
    """Usage between two reads of a meter that an account answers for.

    bill_number: the bill it went into, or "".
    """

    read_id: int
    from_on: date
    to_on: date
    days: int
    usage_thousandths: int
    unit: str
    quality: str
    is_verified: bool
    register: int | None
    meter_serial: str
    bill_number: str


def agreements_of_account(account_id: int) -> list[AgreementRow]:
    """Agreements of an account, those in force first."""
    query = """
        SELECT g.id, t.code, t.name, g.rate_class, g.is_metered, g.meter_size,
            coalesce((SELECT m.serial FROM metering_installation i
                JOIN metering_meter m ON m.id = i.meter_id
                WHERE i.service_point_id = g.service_point_id
                ORDER BY lower(i.period) DESC LIMIT 1), ''),
            g.dwelling_units, g.exemptions, g.cycle_months, lower(g.period), upper(g.period),
            p.address, s.code
        FROM billing_serviceagreement g
        JOIN tariffs_tariff t ON t.id = g.tariff_id
        JOIN registry_servicepoint s ON s.id = g.service_point_id
        JOIN registry_property p ON p.id = s.property_id
        WHERE g.account_id = %s AND NOT isempty(g.period)
        ORDER BY upper_inf(g.period) DESC, lower(g.period) DESC, g.id LIMIT 50
    """
    found = []
    for row in _rows(query, [account_id]):
        fields = list(row)
        fields[8] = tuple(fields[8])
        found.append(AgreementRow(*fields))
    return found


def billed_from(charge_ids: Sequence[int]) -> dict[int, Billed]:
    """What raised charges, by charge id; a charge that no bill raised is left out."""
    query = """
        SELECT b.number, b.from_on, b.to_on, r.usage_thousandths, r.unit, r.quality, r.to_on,
            r.register, l.position, m.code, m.label, m.formula, m.source, l.cents,
            l.quantity_thousandths, l.unit, l.rate_micros, l.days, l.steps, l.charge_id,
            (c.cents - coalesce(s.settled_cents, 0))::bigint
        FROM billing_billline l
        JOIN billing_bill b ON b.id = l.bill_id
        JOIN tariffs_component m ON m.id = l.component_id
        JOIN ledger_charge c ON c.id = l.charge_id
        LEFT JOIN ledger_settlement s ON s.charge_id = l.charge_id
        LEFT JOIN metering_read r ON r.id = b.read_id
        WHERE l.charge_id = ANY(%s)
    """
    found: dict[int, Billed] = {}
    for row in _rows(query, [list(charge_ids)]):
        line = line_row(row[8:])
        if line.charge_id is not None:
            found[line.charge_id] = Billed(*[*row[:8], line])
    return found


_READS = """
    FROM (SELECT DISTINCT g.service_point_id, g.period FROM billing_serviceagreement g
        WHERE g.account_id = %s AND g.is_metered) g
    JOIN metering_read r ON r.service_point_id = g.service_point_id AND g.period @> (r.to_on - 1)
        AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
"""


def reads_of_account(account_id: int, limit: int = 50, offset: int = 0) -> list[ReadRow]:
    """Reads of the account's metered agreements, the newest first."""
    query = f"""
        SELECT r.id, r.from_on, r.to_on, r.to_on - r.from_on, r.usage_thousandths, r.unit,
            r.quality, r.is_verified, r.register, coalesce(m.serial, ''),
            coalesce((SELECT b.number FROM billing_bill b WHERE b.read_id = r.id
                AND b.account_id = %s ORDER BY b.id DESC LIMIT 1), '')
        {_READS} LEFT JOIN metering_meter m ON m.id = r.meter_id
        ORDER BY r.to_on DESC, r.id DESC LIMIT %s OFFSET %s
    """
    return [ReadRow(*row) for row in _rows(query, [account_id, account_id, limit, offset])]


def count_reads(account_id: int) -> int:
    """How many reads the account's metered agreements have."""
    return int(_rows(f"SELECT count(*) {_READS}", [account_id])[0][0])


def count_bills(account_id: int) -> int:
    """How many bills the account has."""
    return int(_rows("SELECT count(*) FROM billing_bill WHERE account_id = %s", [account_id])[0][0])
