"""A counter for tests: a center with an open day, two tills, cashiers and supervisors."""

from dataclasses import dataclass
from itertools import count

from chamberlain.cashiering.operations import TenderLine, ensure_till, open_till, take_payment
from chamberlain.cashiering.receipts import ReceiptView
from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Center, Role
from chamberlain.ledger.models import BusinessDay
from tests.office import NOW, make_actor, make_center, open_day

FLOAT = {2000: 5}
FLOAT_CENTS = 10_000
CASH_LIMIT = 100_000

_keys = count(1)


@dataclass(frozen=True)
class Counter:
    """The people and places of a counter; both tills are open with a float of $100.00."""

    center: Center
    day: BusinessDay
    till_ids: tuple[int, int]
    cashier: Actor
    second_cashier: Actor
    supervisor: Actor
    second_supervisor: Actor
    session_id: int
    second_session_id: int


def make_counter(code: str = "CH") -> Counter:
    """A counter whose two tills are open."""
    center = make_center(code)
    day = open_day(center)
    tills = (
        ensure_till(center, f"{code}-1", cash_limit_cents=CASH_LIMIT),
        ensure_till(center, f"{code}-2", cash_limit_cents=CASH_LIMIT),
    )
    cashier = make_actor(f"ana-{code}", Role.CASHIER, center)
    second = make_actor(f"ben-{code}", Role.CASHIER, center)
    return Counter(
        center=center,
        day=day,
        till_ids=tills,
        cashier=cashier,
        second_cashier=second,
        supervisor=make_actor(f"sue-{code}", Role.CENTER_SUPERVISOR, center),
        second_supervisor=make_actor(f"tom-{code}", Role.CENTER_SUPERVISOR, center),
        session_id=open_till(cashier, tills[0], FLOAT, NOW),
        second_session_id=open_till(second, tills[1], FLOAT, NOW),
    )


def cash(cents: int) -> TenderLine:
    """Cash handed over."""
    return TenderLine("cash", cents)


def check(cents: int, number: str = "1001") -> TenderLine:
    """A check handed over."""
    return TenderLine("check", cents, number)


def pay(
    counter: Counter,
    account_id: int,
    items: list[tuple[int, int]],
    *tenders: TenderLine,
    key: str | None = None,
    **more: object,
) -> ReceiptView:
    """A payment at the first till."""
    return take_payment(
        counter.cashier,
        counter.session_id,
        account_id,
        items,
        tenders,
        NOW,
        key or f"key-{next(_keys)}",
        **more,
    )
