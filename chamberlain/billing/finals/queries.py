"""Move-outs and how far their final bills are."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound

LISTS = {"to_read": "To be read", "to_bill": "To be billed", "billed": "Billed"}


@dataclass(frozen=True, slots=True)
class FinalReadRow:
    """An order of a final read. read_on: the read that reaches the move, None while there is none.

    last_on, last_register: the last read before, or the service's first day.
    """

    order_id: int
    agreement_id: int
    service_point_id: int
    service_point: str
    serial: str
    unit: str
    left_on: date
    last_on: date
    last_register: int | None
    read_on: date | None
    quality: str
    usage_thousandths: int | None


@dataclass(frozen=True, slots=True)
class MoveOutRow:
    """A move-out. state: a key of LISTS. owed_cents, credit_cents: of the account now."""

    move_out_id: int
    account_id: int
    account_number: str
    holder: str
    address: str
    left_on: date
    forwarding: str
    next_account: str
    asked_by: str
    asked_at: datetime
    billed_by: str
    billed_at: datetime | None
    carried_by: str
    reads_wanted: int
    owed_cents: int
    credit_cents: int

    @property
    def state(self) -> str:
        """How far it is."""
        if self.billed_at is not None:
            return "billed"
        return "to_read" if self.reads_wanted else "to_bill"


_IS_WANTED = """
    NOT EXISTS (SELECT 1 FROM metering_read r
        WHERE r.service_point_id = g.service_point_id AND r.to_on >= m.left_on
            AND r.from_on < m.left_on)
"""

_MOVE_OUTS = f"""
    SELECT m.id, m.account_id, a.number, coalesce(c.name, ''),
        coalesce(p.address || ', ' || p.postal_code, ''), m.left_on,
        coalesce(w.address || ', ' || w.postal_code, ''), coalesce(n.number, ''),
        coalesce(nullif(u.display_name, ''), u.username), m.asked_at,
        coalesce(nullif(v.display_name, ''), v.username, ''), m.billed_at, m.carried_by,
        (SELECT count(*) FROM finals_finalread o
            JOIN billing_serviceagreement g ON g.id = o.agreement_id
            WHERE o.move_out_id = m.id AND {_IS_WANTED}),
        coalesce(b.owed_cents, 0), coalesce(b.credit_cents, 0)
    FROM finals_moveout m
    JOIN ledger_account a ON a.id = m.account_id
    LEFT JOIN ledger_balance b ON b.account_id = m.account_id
    LEFT JOIN ledger_account n ON n.id = m.next_account_id
    JOIN identity_user u ON u.id = m.asked_by_id
    LEFT JOIN identity_user v ON v.id = m.billed_by_id
    LEFT JOIN registry_accountholding k ON k.account_id = m.account_id
        AND upper(k.period) = m.left_on
    LEFT JOIN registry_customer c ON c.id = k.customer_id
    LEFT JOIN registry_property p ON p.id = k.property_id
    LEFT JOIN LATERAL (
        SELECT i.address, i.postal_code FROM registry_accountmailing i
        WHERE i.account_id = m.account_id AND i.period @> m.left_on LIMIT 1) w ON true
"""

_WANTS_READS = f"""
    EXISTS (SELECT 1 FROM finals_finalread o
        JOIN billing_serviceagreement g ON g.id = o.agreement_id
        WHERE o.move_out_id = m.id AND {_IS_WANTED})
"""
_LISTED = {
    "to_read": f"WHERE m.billed_at IS NULL AND {_WANTS_READS}",
    "to_bill": f"WHERE m.billed_at IS NULL AND NOT {_WANTS_READS}",
    "billed": "WHERE m.billed_at IS NOT NULL",
}


def move_out_row(move_out_id: int) -> MoveOutRow:
    """One move-out. Raises NotFound."""
    found = rows(_MOVE_OUTS + "WHERE m.id = %s", [move_out_id])
    if not found:
        raise NotFound("There is no such move-out; look at the list of final bills.")
    return MoveOutRow(*found[0])


def move_outs(which: str, limit: int = 50, offset: int = 0) -> list[MoveOutRow]:
    """Move-outs in one of LISTS, the earliest first; those billed, the latest first."""
    order = "m.billed_at DESC" if which == "billed" else "m.left_on, m.id"
    query = f"{_MOVE_OUTS} {_LISTED[which]} ORDER BY {order} LIMIT %s OFFSET %s"
    return [MoveOutRow(*row) for row in rows(query, [limit, offset])]


def count_move_outs(which: str) -> int:
    """How many `move_outs` has."""
    return int(rows(f"SELECT count(*) FROM finals_moveout m {_LISTED[which]}", [])[0][0])


def move_outs_of_account(account_id: int) -> list[MoveOutRow]:
    """Move-outs of an account, the latest first."""
    query = f"{_MOVE_OUTS} WHERE m.account_id = %s ORDER BY m.left_on DESC"
    return [MoveOutRow(*row) for row in rows(query, [account_id])]


def final_reads(move_out_id: int) -> list[FinalReadRow]:
    """Orders of final reads with the reads that reach the move."""
    query = """
        SELECT o.id, g.id, g.service_point_id, s.code, coalesce(i.serial, ''),
            coalesce(i.unit, l.unit, ''), m.left_on, coalesce(l.to_on, lower(g.period)),
            l.register, f.to_on, coalesce(f.quality, ''), f.usage_thousandths
        FROM finals_finalread o
        JOIN finals_moveout m ON m.id = o.move_out_id
        JOIN billing_serviceagreement g ON g.id = o.agreement_id
        JOIN registry_servicepoint s ON s.id = g.service_point_id
        LEFT JOIN LATERAL (
            SELECT e.serial, e.unit FROM metering_installation n
            JOIN metering_meter e ON e.id = n.meter_id
            WHERE n.service_point_id = g.service_point_id AND lower(n.period) < m.left_on
            ORDER BY lower(n.period) DESC LIMIT 1) i ON true
        LEFT JOIN LATERAL (
            SELECT r.to_on, r.register, r.unit FROM metering_read r
            WHERE r.service_point_id = g.service_point_id AND r.to_on < m.left_on
            ORDER BY r.to_on DESC, r.id DESC LIMIT 1) l ON true
        LEFT JOIN LATERAL (
            SELECT r.to_on, r.quality, r.usage_thousandths FROM metering_read r
            WHERE r.service_point_id = g.service_point_id AND r.to_on >= m.left_on
                AND r.from_on < m.left_on
            ORDER BY r.to_on, r.id LIMIT 1) f ON true
        WHERE o.move_out_id = %s ORDER BY o.id
    """
    return [FinalReadRow(*row) for row in rows(query, [move_out_id])]


def bills_after(account_id: int, left_on: date) -> list[str]:
    """Bills that stand and cover days after the account was given up, by number."""
    query = """
        SELECT b.number FROM billing_bill b
        WHERE b.account_id = %s AND b.to_on > %s AND b.entry_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)
        ORDER BY b.id
    """
    return [str(row[0]) for row in rows(query, [account_id, left_on])]


def final_bills(move_out_id: int) -> list[int]:
    """Ids of the bills that end the account."""
    query = "SELECT bill_id FROM finals_finalbill WHERE move_out_id = %s ORDER BY bill_id"
    return [int(row[0]) for row in rows(query, [move_out_id])]


def next_accounts(account_id: int) -> list[str]:
    """Other accounts that the last holder holds now, by number."""
    query = """
        SELECT DISTINCT a.number FROM registry_accountholding h
        JOIN registry_accountholding o ON o.customer_id = h.customer_id AND upper_inf(o.period)
            AND o.account_id <> h.account_id
        JOIN ledger_account a ON a.id = o.account_id
        WHERE h.account_id = %s AND lower(h.period) = (SELECT max(lower(x.period))
            FROM registry_accountholding x WHERE x.account_id = h.account_id)
        ORDER BY 1 LIMIT 20
    """
    return [str(row[0]) for row in rows(query, [account_id])]
