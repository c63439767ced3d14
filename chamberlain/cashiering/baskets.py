"""What a cashier looks at before a payment is taken: accounts, what they owe, and the figures.

A **basket** holds accounts, the payer's first, with an amount for each open charge. Money paid
*on account* goes to the payer's charges in the city's order instead, and what they do not need
becomes credit. For example, with $100.00 of cash handed over for $86.40, $13.60 is change; with
$50.00, $36.40 is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from chamberlain.cashiering.receipts import rows
from chamberlain.cashiering.tendering import TenderLine
from chamberlain.ledger import allocation
from chamberlain.ledger.queries import OpenCharge, open_charges


@dataclass(frozen=True, slots=True)
class BasketDocument:
    """A bill, citation or the like with what is open on it."""

    document: str
    raised_on: date
    due_on: date
    is_past_due: bool
    open_cents: int
    charges: tuple[OpenCharge, ...]


@dataclass(frozen=True, slots=True)
class BasketAccount:
    """An account as a cashier sees it. holder and address are empty when none is on file."""

    account_id: int
    number: str
    holder: str
    address: str
    owed_cents: int
    past_due_cents: int
    credit_cents: int
    documents: tuple[BasketDocument, ...]

    @property
    def charges(self) -> tuple[OpenCharge, ...]:
        """All open charges, in the order in which they are listed."""
        return tuple(charge for paper in self.documents for charge in paper.charges)


@dataclass(frozen=True, slots=True)
class Allotted:
    """What a payment on account settles of one charge; without a charge, what becomes credit."""

    charge: OpenCharge | None
    cents: int


@dataclass(frozen=True, slots=True)
class BasketFigures:
    """The figures of a basket, in cents; of missing and change at least one is zero.

    is_ready: something is to be paid, and what was handed over covers it.
    """

    total_cents: int
    tendered_cents: int
    missing_cents: int
    change_cents: int
    credit_cents: int
    allotted: tuple[Allotted, ...]

    @property
    def is_ready(self) -> bool:
        """Whether the payment can be taken as it stands."""
        return self.total_cents > 0 and self.tendered_cents > 0 and self.missing_cents == 0


_ACCOUNTS = """
    SELECT a.id, a.number, coalesce(c.name, ''), coalesce(p.address, ''),
        coalesce(b.owed_cents, 0), coalesce(b.credit_cents, 0)
    FROM ledger_account a
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN registry_accountholding h ON h.account_id = a.id AND h.period @> %s::date
    LEFT JOIN registry_customer c ON c.id = h.customer_id
    LEFT JOIN registry_property p ON p.id = h.property_id
    WHERE a.id = ANY(%s)
"""


def basket_accounts(account_ids: Sequence[int], today: date) -> list[BasketAccount]:
    """Accounts with all that they owe, in the order given; ids of no account are left out."""
    heads = {row[0]: row for row in rows(_ACCOUNTS, [today, list(account_ids)])}
    owed: dict[int, list[OpenCharge]] = {account_id: [] for account_id in heads}
    for charge in open_charges(list(heads)):
        owed[charge.account_id].append(charge)
    found = []
    for account_id in dict.fromkeys(account_ids):
        if account_id not in heads:
            continue
        _, number, holder, address, owed_cents, credit_cents = heads[account_id]
        charges = owed[account_id]
        found.append(
            BasketAccount(
                account_id,
                number,
                holder,
                address,
                owed_cents,
                sum(charge.open_cents for charge in charges if charge.due_on < today),
                credit_cents,
                _documents(charges, today),
            )
        )
    return found


def _documents(charges: Sequence[OpenCharge], today: date) -> tuple[BasketDocument, ...]:
    """Charges by their paper: the oldest due date first, charges in the order of settling."""
    papers: dict[tuple[date, str], list[OpenCharge]] = {}
    for charge in charges:
        papers.setdefault((charge.due_on, charge.document), []).append(charge)
    return tuple(
        BasketDocument(
            document,
            papers[due_on, document][0].raised_on,
            due_on,
            due_on < today,
            sum(charge.open_cents for charge in papers[due_on, document]),
            tuple(papers[due_on, document]),
        )
        for due_on, document in sorted(papers)
    )


_BY_PAPER = """
    SELECT id FROM ledger_account WHERE number = %s
    UNION ALL SELECT account_id FROM billing_bill WHERE number = %s
    UNION ALL SELECT account_id FROM revenue_obligation WHERE number = %s
    LIMIT 1
"""


def account_of_paper(text: str) -> int | None:
    """The account that a scanned or typed number is of: an account, a bill, a citation's number."""
    number = text.strip().upper()
    found = rows(_BY_PAPER, [number] * 3) if number else []
    return int(found[0][0]) if found else None


def basket_figures(
    amounts: Mapping[int, int],
    tenders: Sequence[TenderLine],
    *,
    payer: BasketAccount | None = None,
    on_account_cents: int = 0,
    keep_as_credit: bool = False,
) -> BasketFigures:
    """The figures of a basket as it stands.

    amounts: cents by charge, for all that is paid by name. on_account_cents: what the payer pays
    besides; it is allotted as `take_payment` will, among the charges that are not named.
    """
    allotted = allot(payer, amounts, on_account_cents) if payer and on_account_cents else ()
    total = sum(amounts.values()) + on_account_cents
    tendered = sum(tender.cents for tender in tenders)
    above = max(tendered - total, 0)
    credit = sum(part.cents for part in allotted if part.charge is None)
    kept = above if keep_as_credit else 0
    return BasketFigures(
        total_cents=total,
        tendered_cents=tendered,
        missing_cents=max(total - tendered, 0),
        change_cents=above - kept,
        credit_cents=credit + kept,
        allotted=allotted,
    )


def allot(payer: BasketAccount, named: Mapping[int, int], cents: int) -> tuple[Allotted, ...]:
    """What a payment on account settles, in the city's order; the last part is the credit left."""
    charges = {c.charge_id: c for c in payer.charges if c.charge_id not in named}
    paid = pl.DataFrame(
        {"account_id": [payer.account_id], "cents": [cents]},
        schema={"account_id": pl.Int64, "cents": pl.Int64},
    )
    frame = pl.DataFrame(
        [(c.charge_id, c.account_id, c.open_cents, c.priority, c.due_on) for c in charges.values()],
        schema={
            "charge_id": pl.Int64,
            "account_id": pl.Int64,
            "open_cents": pl.Int64,
            "priority": pl.Int64,
            "due_on": pl.Date,
        },
        orient="row",
    )
    settled = allocation.allocate(paid, frame)
    left = allocation.left_over(paid, settled)["cents"].to_list()
    pairs = zip(settled["charge_id"].to_list(), settled["cents"].to_list(), strict=True)
    return (
        *(Allotted(charges[charge_id], settled_cents) for charge_id, settled_cents in pairs),
        *(Allotted(None, credit) for credit in left),
    )
