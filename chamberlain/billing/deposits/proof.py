"""What is proven of deposits: the liability is the sum of the deposits, entry by entry."""

from chamberlain.ledger import chart

_BY_ENTRY = f"""
    WITH books AS (
        SELECT t.entry_id, sum(CASE WHEN t.credit_id = l.id THEN t.cents ELSE -t.cents END)
            AS cents
        FROM ledger_ledgeraccount l
        JOIN ledger_transfer t ON l.id IN (t.credit_id, t.debit_id)
        WHERE l.code = '{chart.DEPOSITS}' GROUP BY 1),
    moved AS (
        SELECT entry_id, sum(cents) AS cents FROM deposits_depositmovement GROUP BY 1)
    SELECT format('Entry %%s: %%s cents in the liability for deposits, %%s in the deposits.',
        coalesce(b.entry_id, m.entry_id), coalesce(b.cents, 0), coalesce(m.cents, 0))
    FROM books b FULL JOIN moved m ON m.entry_id = b.entry_id
    WHERE coalesce(b.cents, 0) <> coalesce(m.cents, 0)
    ORDER BY coalesce(b.entry_id, m.entry_id) LIMIT %s
"""

_CLOSED = """
    SELECT format('Deposit %%s: closed on %%s with %%s cents left.', d.number, d.closed_on, m.cents)
    FROM deposits_deposit d
    JOIN (SELECT deposit_id, sum(cents) AS cents FROM deposits_depositmovement GROUP BY 1) m
        ON m.deposit_id = d.id
    WHERE d.closed_on IS NOT NULL AND m.cents <> 0 ORDER BY d.id LIMIT %s
"""

CHECKS = {
    "the liability for deposits against the deposits": _BY_ENTRY,
    "closed deposits": _CLOSED,
}
