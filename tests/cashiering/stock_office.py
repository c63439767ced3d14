"""A counter with stickers: kinds of stock, their fees, and how they get into a till."""

from dataclasses import dataclass
from datetime import date
from itertools import count

from chamberlain.cashiering.stock import handing, terms
from chamberlain.cashiering.stock.models import Place
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger import chart
from chamberlain.revenue.operations import FeeTerms, load_fee
from tests.cashiering.counter import Counter, make_counter
from tests.office import NOW, make_actor

_keys = count(1)
STICKER = "city_sticker"
FEES = (
    FeeTerms(
        "sticker.P", "sticker", "City sticker, passenger vehicle", "sticker",
        ((date(2024, 2, 1), 10_017, "The Clerk", True),), term_months=12,
    ),
    FeeTerms(
        "license.dog", "animal_license", "Dog license", "license",
        ((date(2007, 1, 1), 500, "A newspaper", False),), term_months=12,
    ),
    FeeTerms("fee.hydrant", "fee", "Hydrant", "fee", ((date(2016, 1, 1), 8_378, "Code", True),)),
)  # fmt: skip
KINDS = (
    terms.KindTerms(STICKER, "City sticker", "S", 6, 5, ("sticker.P",)),
    terms.KindTerms("receipt_book", "Receipt book", "", 5, 0, ()),
)


@dataclass(frozen=True)
class StockOffice:
    """A counter, its coordinator, and the places of the stock."""

    counter: Counter
    coordinator: Actor
    second_coordinator: Actor
    store: int
    safe: int
    till: int
    second_till: int


def load() -> None:
    """The city's fees and kinds of stock."""
    for priority, kind in enumerate(("sticker", "license", "fee"), 1):
        chart.ensure_charge_kind(kind, kind.title(), priority)
    for fee in FEES:
        load_fee(program_actor(), fee)
    terms.load_kinds(program_actor(), KINDS)


def make_stock_office(code: str = "CH") -> StockOffice:
    """An office whose places are empty."""
    load()
    counter = make_counter(code)
    return StockOffice(
        counter=counter,
        coordinator=make_actor(f"cora-{code}", Role.COORDINATOR),
        second_coordinator=make_actor(f"dean-{code}", Role.COORDINATOR),
        store=Place.objects.get(role="store").pk,
        safe=Place.objects.get(center=counter.center).pk,
        till=Place.objects.get(till_id=counter.till_ids[0]).pk,
        second_till=Place.objects.get(till_id=counter.till_ids[1]).pk,
    )


def hand_over(
    sender: Actor, receiver: Actor, numbers: str, source: int | None, target: int
) -> None:
    """Numbers sent by one person and accepted whole by another."""
    key = f"handed-{next(_keys)}"
    made = handing.send(sender, STICKER, numbers, source, target, "DN-1", NOW, key)
    assert handing.accept(receiver, made, numbers, NOW) == []


def with_stickers(office: StockOffice, numbers: str = "1-100", at_till: str = "1-20") -> None:
    """Delivers stickers to the safe, and some of them to the first till."""
    hand_over(office.coordinator, office.second_coordinator, numbers, None, office.store)
    hand_over(office.coordinator, office.counter.supervisor, numbers, office.store, office.safe)
    hand_over(office.counter.supervisor, office.counter.cashier, at_till, office.safe, office.till)
