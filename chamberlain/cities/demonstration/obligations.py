"""Citations, stickers and licenses of the made-up customers, at the city's prices of the day."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from django.db import connection

from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import read_frame
from chamberlain.revenue.bulk import charge_many
from chamberlain.revenue.models import Fee
from chamberlain.revenue.pricing import Price, price_on

# Fee, its letter in the number, share of the customers whom it meets each time, for whom.
_DRAWN = (
    ("citation.expired_meter_central", "C", 0.004, "person"),
    ("citation.expired_meter", "C", 0.006, "person"),
    ("citation.residential_permit", "C", 0.003, "person"),
    ("citation.no_city_sticker", "C", 0.002, "person"),
    ("sticker.P", "V", 0.010, "person"),
    ("sticker.LP", "V", 0.003, "person"),
    ("license.limited_business", "B", 0.015, "organization"),
    ("license.dog", "A", 0.006, "person"),
)
_SUBJECTS = {"C": "Plate", "V": "Plate", "B": "Business", "A": "Dog"}
_DOGS = ("Bella", "Max", "Luna", "Charlie", "Lucy", "Cooper", "Daisy", "Rocky")
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"

_HOLDERS_SQL = """
    SELECT a.id, c.kind, c.name FROM ledger_account a
    JOIN registry_accountholding h ON h.account_id = a.id AND upper(h.period) IS NULL
    JOIN registry_customer c ON c.id = h.customer_id
    WHERE a.number LIKE 'CH-%' ORDER BY a.id
"""


def enter(
    actor: Actor, random: np.random.Generator, business_day_id: int, day: date, now: datetime
) -> int:
    """Enters what arose in the days before; returns how many."""
    schema = {"account_id": pl.Int64, "kind": pl.String, "name": pl.String}
    holders = read_frame(connection.connection, _HOLDERS_SQL, schema)
    rows: list[dict[str, Any]] = []
    fees = {fee.code: fee for fee in Fee.objects.select_related("charge_kind")}
    for code, letter, share, kind in _DRAWN:
        among = holders.filter(pl.col("kind") == kind)
        count = int(random.binomial(among.height, share))
        for place in random.integers(0, max(among.height, 1), count):
            number = f"{letter}{day:%y%m%d}{len(rows) + 1:04d}"
            account_id, _, name = among.row(int(place))
            rows.append(_row(random, fees[code], number, letter, int(account_id), str(name), day))
    if not rows:
        return 0
    return charge_many(actor, pl.DataFrame(rows), business_day_id, now)


def _row(
    random: np.random.Generator,
    fee: Fee,
    number: str,
    letter: str,
    account_id: int,
    name: str,
    day: date,
) -> dict[str, Any]:
    arose_on = day - timedelta(days=int(random.integers(0, 20)))
    prices = [Price(*row) for row in fee.prices.values_list("starts_on", "cents")]
    subject = {"B": name, "A": str(random.choice(_DOGS))}.get(letter) or _plate(random)
    return {
        "number": number,
        "kind": fee.kind,
        "account_id": account_id,
        "subject": f"{_SUBJECTS[letter]} {subject}",
        "description": fee.name,
        "arose_on": arose_on,
        "charge_kind": fee.charge_kind.code,
        "cents": price_on(prices, arose_on, fee.name).cents,
        "due_on": arose_on + timedelta(days=fee.due_days),
    }


def _plate(random: np.random.Generator) -> str:
    letters = "".join(random.choice(list(_LETTERS), 2))
    return f"{letters} {random.integers(10_000, 99_999)}"
