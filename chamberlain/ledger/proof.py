"""The proof of the ledger: everything that is kept is recomputed from the transfers.

Balances, settlements, control accounts, raised charges and the chain of digests are each
recomputed by one query that returns only what differs, so that a clean ledger proves in one
pass over its transfers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection, transaction

from chamberlain.identity.actors import Actor

LARGEST_LIST = 1000


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven: how many of each, and every difference found, as sentences."""

    counts: dict[str, int]
    debit_cents: int
    differences: tuple[str, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """Whether there is no difference."""
        return not self.differences


_COUNTS = {
    "entries": "SELECT count(*) FROM ledger_entry",
    "transfers": "SELECT count(*) FROM ledger_transfer",
    "charges": "SELECT count(*) FROM ledger_charge",
    "accounts": "SELECT count(*) FROM ledger_account",
    "closed_days": "SELECT count(*) FROM ledger_daydigest",
}

_SETTLEMENTS = """
    WITH t AS (
        SELECT charge_id, sum(CASE effect WHEN 'raise' THEN cents ELSE 0 END) AS raised,
            sum(CASE effect WHEN 'settle' THEN cents WHEN 'unsettle' THEN -cents ELSE 0 END)
                AS settled
        FROM ledger_transfer WHERE charge_id IS NOT NULL GROUP BY charge_id)
    SELECT format('Charge %%s of %%s (%%s): %%s cents, raised %%s; '
        'settled by transfers %%s, kept as %%s.',
        c.id, a.number, c.document, c.cents, coalesce(t.raised, 0), coalesce(t.settled, 0),
        coalesce(s.settled_cents, 0))
    FROM ledger_charge c
    JOIN ledger_account a ON a.id = c.account_id
    LEFT JOIN t ON t.charge_id = c.id
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE coalesce(t.raised, 0) <> c.cents OR coalesce(t.settled, 0) <> coalesce(s.settled_cents, 0)
        OR coalesce(t.settled, 0) NOT BETWEEN 0 AND c.cents OR s.cents <> c.cents
    ORDER BY c.id LIMIT %s
"""

_BALANCES = """
    WITH t AS (
        SELECT t.account_id,
            sum(CASE t.effect WHEN 'settle' THEN -t.cents WHEN 'none' THEN 0 ELSE t.cents END)
                AS owed,
            sum(CASE WHEN c.control = 'credits' THEN t.cents
                WHEN d.control = 'credits' THEN -t.cents ELSE 0 END) AS credit
        FROM ledger_transfer t
        JOIN ledger_ledgeraccount d ON d.id = t.debit_id
        JOIN ledger_ledgeraccount c ON c.id = t.credit_id
        WHERE t.account_id IS NOT NULL GROUP BY t.account_id)
    SELECT format('Account %%s: owes %%s and has %%s in credit by its transfers, '
        'kept as %%s and %%s.',
        a.number, coalesce(t.owed, 0), coalesce(t.credit, 0), b.owed_cents, b.credit_cents)
    FROM ledger_account a
    LEFT JOIN t ON t.account_id = a.id
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    WHERE b.account_id IS NULL OR (coalesce(t.owed, 0), coalesce(t.credit, 0))
        <> (b.owed_cents, b.credit_cents)
    ORDER BY a.id LIMIT %s
"""

_CONTROLS = """
    WITH side AS (
        SELECT debit_id AS id, cents FROM ledger_transfer
        UNION ALL SELECT credit_id, -cents FROM ledger_transfer),
    books AS (SELECT id, sum(cents) AS cents FROM side GROUP BY id),
    items AS (
        SELECT k.receivable_id AS id, sum(c.cents - coalesce(s.settled_cents, 0)) AS cents
        FROM ledger_charge c JOIN ledger_chargekind k ON k.id = c.kind_id
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id GROUP BY 1
        UNION ALL
        SELECT l.id, -(SELECT coalesce(sum(credit_cents), 0) FROM ledger_balance)
        FROM ledger_ledgeraccount l WHERE l.control = 'credits')
    SELECT format('Control account %%s (%%s): %%s cents in the books, %%s in its open items.',
        l.code, l.name, coalesce(b.cents, 0), coalesce(i.cents, 0))
    FROM ledger_ledgeraccount l
    LEFT JOIN books b ON b.id = l.id LEFT JOIN items i ON i.id = l.id
    WHERE l.control <> 'none' AND coalesce(b.cents, 0) <> coalesce(i.cents, 0)
    ORDER BY l.code LIMIT %s
"""

_ENTRIES = """
    SELECT format('Entry %%s of %%s (%%s %%s): its rows are not those that were sealed.',
        coalesce(e.id, k.entry_id), d.day, e.kind, e.document)
    FROM ledger_daydigest dd
    JOIN ledger_businessday d ON d.id = dd.business_day_id
    CROSS JOIN LATERAL (
        SELECT coalesce(n.entry_id, k.entry_id) AS entry_id
        FROM ledger_digests_of_day(d.id) n
        FULL JOIN (SELECT kd.entry_id, kd.digest FROM ledger_entrydigest kd
            JOIN ledger_entry ke ON ke.id = kd.entry_id WHERE ke.business_day_id = d.id) k
            ON k.entry_id = n.entry_id
        WHERE n.digest IS DISTINCT FROM k.digest) k
    LEFT JOIN ledger_entry e ON e.id = k.entry_id
    ORDER BY d.day, k.entry_id LIMIT %s
"""

_DAYS = """
    SELECT format('Business day %%s of %%s: its digest does not follow from its entries '
        '(%%s sealed, %%s found) and the day before.', d.day, c.code, dd.entries, n.entries)
    FROM ledger_daydigest dd
    JOIN ledger_businessday d ON d.id = dd.business_day_id
    JOIN identity_center c ON c.id = d.center_id
    LEFT JOIN ledger_daydigest p ON p.business_day_id = dd.previous_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS entries, sha256(coalesce(p.digest, ''::bytea)
            || coalesce(string_agg(k.digest, ''::bytea ORDER BY k.entry_id), ''::bytea)) AS digest
        FROM ledger_entrydigest k JOIN ledger_entry e ON e.id = k.entry_id
        WHERE e.business_day_id = d.id) n
    WHERE n.digest <> dd.digest OR n.entries <> dd.entries OR d.closed_at IS NULL
    ORDER BY d.day LIMIT %s
"""

_UNSEALED = """
    SELECT format('Business day %%s of %%s is closed but was not sealed.', d.day, c.code)
    FROM ledger_businessday d JOIN identity_center c ON c.id = d.center_id
    LEFT JOIN ledger_daydigest dd ON dd.business_day_id = d.id
    WHERE d.closed_at IS NOT NULL AND dd.business_day_id IS NULL
    ORDER BY d.day LIMIT %s
"""

CHECKS = {
    "charges against their settlements": _SETTLEMENTS,
    "balances of accounts": _BALANCES,
    "control accounts against open items": _CONTROLS,
    "entries of sealed days": _ENTRIES,
    "chain of sealed days": _DAYS,
    "closed days without a seal": _UNSEALED,
}


def prove(actor: Actor, progress: Callable[[str], None] = lambda _: None) -> Proof:
    """Proves the whole ledger as it stands at one moment.

    progress: called with the name of each check before it runs. Lists at most LARGEST_LIST
    differences of each check.
    """
    actor.require("ledger.prove")
    differences: list[str] = []
    in_snapshot = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if in_snapshot:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        counts = {}
        for name, query in _COUNTS.items():
            cursor.execute(query)
            counts[name] = int(cursor.fetchone()[0])
        cursor.execute("SELECT coalesce(sum(cents), 0) FROM ledger_transfer")
        debit_cents = int(cursor.fetchone()[0])
        for name, query in CHECKS.items():
            progress(name)
            cursor.execute(query, [LARGEST_LIST])
            differences += [row[0] for row in cursor.fetchall()]
    return Proof(counts, debit_cents, tuple(differences))
