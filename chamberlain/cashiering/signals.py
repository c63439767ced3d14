"""What may be worth a look at the tills: figures with their arithmetic, never an accusation.

A cashier is compared with the others of the same center over the same days. The comparison is the
modified z-score of Iglewicz and Hoaglin (1993): how far a figure is from the peers' median, in
median absolute deviations (MAD), times 0.6745; 3.5 and more stands out. With fewer than PEERS_MIN
peers, or when they do not differ at all, nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median

from chamberlain.cashiering.receipts import rows
from chamberlain.kernel.errors import Invalid

PEERS_MIN = 3
STANDS_OUT = Decimal("3.5")
DAYS_MAX = 400
# Cash above this, in one or in related payments, is reported: 26 U.S.C. 6050I, IRS form 8300.
REPORTED_CASH_CENTS = 1_000_000
BENFORD_MIN = 500
# The critical value of chi-square with 8 degrees of freedom at 5 %.
CHI_SQUARE_LIMIT = Decimal("15.507")
_Z = Fraction(6745, 10_000)


@dataclass(frozen=True, slots=True)
class Compared:
    """A cashier's figure beside the peers'. score is None where nothing can be said.

    median and mad are of the peers, in the figure's unit.
    """

    value: Decimal
    median: Decimal | None
    mad: Decimal | None
    score: Decimal | None

    @property
    def stands_out(self) -> bool:
        """Whether it is far above the peers'."""
        return self.score is not None and self.score >= STANDS_OUT


@dataclass(frozen=True, slots=True)
class CashierSignals:
    """A cashier at a center over some days.

    voids and no_sales are per thousand receipts, short in dollars per thousand receipts.
    """

    cashier: str
    center: str
    receipts: int
    voided: int
    opened: int
    short_cents: int
    over_cents: int
    voids: Compared
    no_sales: Compared
    short: Compared

    @property
    def stands_out(self) -> bool:
        """Whether any figure does."""
        return self.voids.stands_out or self.no_sales.stands_out or self.short.stands_out


@dataclass(frozen=True, slots=True)
class Gap:
    """A till's day whose receipts are not numbered through."""

    till: str
    day: date
    business_day_id: int
    last_number: int
    receipts: int


@dataclass(frozen=True, slots=True)
class SplitCash:
    """Cash of one account on a day: each payment below what is reported, all together above."""

    account: str
    day: date
    payments: int
    cents: int


@dataclass(frozen=True, slots=True)
class Digit:
    """A first digit of receipt totals: how often it stands there, and how often by Benford."""

    digit: int
    found: int
    expected: Decimal


@dataclass(frozen=True, slots=True)
class Benford:
    """First digits; chi_square is None when there are too few receipts."""

    receipts: int
    digits: tuple[Digit, ...]
    chi_square: Decimal | None

    @property
    def stands_out(self) -> bool:
        """Whether the digits differ from Benford's law more than chance does in 19 of 20 cases."""
        return self.chi_square is not None and self.chi_square > CHI_SQUARE_LIMIT


@dataclass(frozen=True, slots=True)
class Signals:
    """All of it, for some days."""

    cashiers: tuple[CashierSignals, ...]
    gaps: tuple[Gap, ...]
    split_cash: tuple[SplitCash, ...]
    benford: Benford


_CASHIERS = """
    WITH s AS (
        SELECT s.id, s.cashier_id, d.center_id,
            coalesce(s.counted_cash_cents - s.expected_cash_cents, 0) AS difference
        FROM ledger_businessday d JOIN cashiering_tillsession s ON s.business_day_id = d.id
        WHERE d.day BETWEEN %(from_on)s AND %(to_on)s),
    r AS (
        SELECT s.cashier_id, s.center_id, count(*) AS receipts,
            count(*) FILTER (WHERE r.void_entry_id IS NOT NULL) AS voided
        FROM s JOIN cashiering_receipt r ON r.session_id = s.id GROUP BY 1, 2),
    n AS (
        SELECT s.cashier_id, s.center_id, count(*) AS opened
        FROM s JOIN cashiering_nosale n ON n.session_id = s.id GROUP BY 1, 2),
    d AS (
        SELECT cashier_id, center_id, -sum(least(difference, 0)) AS short,
            sum(greatest(difference, 0)) AS over FROM s GROUP BY 1, 2)
    SELECT coalesce(nullif(u.display_name, ''), u.username), c.name, r.receipts, r.voided,
        coalesce(n.opened, 0), d.short::bigint, d.over::bigint
    FROM r JOIN d USING (cashier_id, center_id) LEFT JOIN n USING (cashier_id, center_id)
    JOIN identity_user u ON u.id = r.cashier_id JOIN identity_center c ON c.id = r.center_id
    ORDER BY c.name, 1
"""
_GAPS = """
    SELECT t.code, d.day, d.id, max(s.last_number), (SELECT count(*) FROM cashiering_receipt r
        JOIN cashiering_tillsession x ON x.id = r.session_id
        WHERE x.till_id = t.id AND x.business_day_id = d.id)
    FROM ledger_businessday d
    JOIN cashiering_tillsession s ON s.business_day_id = d.id
    JOIN cashiering_till t ON t.id = s.till_id
    WHERE d.day BETWEEN %(from_on)s AND %(to_on)s
    GROUP BY t.id, d.id HAVING max(s.last_number) <> (SELECT count(*) FROM cashiering_receipt r
        JOIN cashiering_tillsession x ON x.id = r.session_id
        WHERE x.till_id = t.id AND x.business_day_id = d.id)
    ORDER BY d.day DESC, t.code LIMIT 200
"""
_SPLIT = """
    SELECT a.number, d.day, count(*), sum(n.cents)::bigint
    FROM ledger_businessday d
    JOIN cashiering_tillsession s ON s.business_day_id = d.id
    JOIN cashiering_receipt r ON r.session_id = s.id AND r.void_entry_id IS NULL
    JOIN LATERAL (SELECT sum(t.cents) - r.change_cents AS cents FROM cashiering_tender t
        WHERE t.receipt_id = r.id AND t.kind = 'cash') n ON n.cents > 0
    JOIN ledger_account a ON a.id = r.payer_account_id
    WHERE d.day BETWEEN %(from_on)s AND %(to_on)s
    GROUP BY a.number, d.day
    HAVING sum(n.cents) > %(limit)s AND max(n.cents) <= %(limit)s
    ORDER BY d.day DESC, a.number LIMIT 200
"""
_DIGITS = """
    SELECT left(r.total_cents::text, 1)::int, count(*)
    FROM ledger_businessday d
    JOIN cashiering_tillsession s ON s.business_day_id = d.id
    JOIN cashiering_receipt r ON r.session_id = s.id
    WHERE d.day BETWEEN %(from_on)s AND %(to_on)s GROUP BY 1
"""


def signals(from_on: date, to_on: date) -> Signals:
    """The figures of business days from one day to another. Raises Invalid."""
    if to_on < from_on:
        raise Invalid("The last day is before the first; swap them.", field="to_on")
    if (to_on - from_on).days > DAYS_MAX:
        raise Invalid(f"Look at no more than {DAYS_MAX} days at once.", field="to_on")
    days = {"from_on": from_on, "to_on": to_on}
    return Signals(
        _cashiers(rows(_CASHIERS, days)),
        tuple(Gap(*row) for row in rows(_GAPS, days)),
        tuple(SplitCash(*row) for row in rows(_SPLIT, {**days, "limit": REPORTED_CASH_CENTS})),
        benford(dict(rows(_DIGITS, days))),
    )


def _cashiers(
    found: Sequence[tuple[str, str, int, int, int, int, int]],
) -> tuple[CashierSignals, ...]:
    made = []
    for nth, (cashier, center, receipts, voided, opened, short, over) in enumerate(found):
        peers = [row for other, row in enumerate(found) if other != nth and row[1] == center]
        made.append(
            CashierSignals(
                cashier,
                center,
                receipts,
                voided,
                opened,
                short,
                over,
                compared(_rate(voided, receipts), [_rate(p[3], p[2]) for p in peers]),
                compared(_rate(opened, receipts), [_rate(p[4], p[2]) for p in peers]),
                compared(_rate(short, receipts) / 100, [_rate(p[5], p[2]) / 100 for p in peers]),
            )
        )
    return tuple(sorted(made, key=lambda row: (not row.stands_out, row.center, row.cashier)))


def _rate(count: int, receipts: int) -> Fraction:
    return Fraction(1000 * count, receipts)


def compared(value: Fraction, peers: Sequence[Fraction]) -> Compared:
    """A figure beside its peers', by the modified z-score."""
    if len(peers) < PEERS_MIN:
        return Compared(_shown(value), None, None, None)
    middle = median(peers)
    mad = median(abs(each - middle) for each in peers)
    score = _shown(_Z * (value - middle) / mad) if mad else None
    return Compared(_shown(value), _shown(middle), _shown(mad), score)


def _shown(value: Fraction) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def benford(found: dict[int, int]) -> Benford:
    """First digits by how often they were found, against log10(1 + 1/d) of all."""
    receipts = sum(found.values())
    digits = tuple(
        Digit(
            digit,
            found.get(digit, 0),
            (receipts * (1 + 1 / Decimal(digit)).log10()).quantize(Decimal("0.1")),
        )
        for digit in range(1, 10)
    )
    if receipts < BENFORD_MIN:
        return Benford(receipts, digits, None)
    chi_square = sum(((row.found - row.expected) ** 2 / row.expected for row in digits), Decimal(0))
    return Benford(receipts, digits, chi_square.quantize(Decimal("0.01")))
