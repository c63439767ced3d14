"""Finding an account among a million by what a caller says, typed rightly and with an error.

Each query is typed as a clerk would: numbers whole and in part, names and addresses whole, in
part, and with letters swapped or left out. The time is that of the query function in the server.
"""

import random
import time
from collections.abc import Callable

import numpy as np

from bench import city
from bench.figures import Figure
from bench.room import Room

LIMIT_MS = 100.0
_EACH = 40
_WARM_UP = 20
_Account = tuple[str, str, str, str, str]

_SAMPLE_SQL = """
    SELECT a.number, c.name, p.address, t.value, p.parcel_number
    FROM ledger_account a
    JOIN registry_accountholding h ON h.account_id = a.id
    JOIN registry_customer c ON c.id = h.customer_id
    JOIN registry_property p ON p.id = h.property_id
    JOIN registry_contact t ON t.customer_id = c.id AND t.kind = 'phone'
    WHERE a.number = ANY(%s)
"""


def measure(room: Room) -> list[Figure]:
    """Milliseconds of a search at the median and at 99 of 100, over all ways of asking."""
    room.database()
    built = city.build(room)
    took_ms = np.array(_times(_queries(room, built.accounts)))
    limit = f"{LIMIT_MS:g} ms at {built.accounts:,} accounts"
    return [
        Figure(name, round(value, 2), "ms", limit, LIMIT_MS, round(LIMIT_MS / value, 3))
        for name, value in (
            ("search_p50", float(np.percentile(took_ms, 50))),
            ("search_p99", float(np.percentile(took_ms, 99))),
        )
    ]


def _queries(room: Room, accounts: int) -> list[str]:
    chance = random.Random(16)
    numbers = [
        str(city.FIRST_NUMBER + place) for place in chance.sample(range(accounts), _EACH + _WARM_UP)
    ]
    with room.connect() as database:
        sample: list[_Account] = database.execute(_SAMPLE_SQL, [numbers]).fetchall()
    asked = [ask(account, chance) for account in sample for ask in _WAYS]
    chance.shuffle(asked)
    return asked


def _times(asked: list[str]) -> list[float]:
    from chamberlain.registry.queries import search

    for text in asked[:_WARM_UP]:
        search(text)
    took = []
    for text in asked:
        started = time.perf_counter()
        search(text)
        took.append((time.perf_counter() - started) * 1000)
    return took


def _swapped(word: str, chance: random.Random) -> str:
    place = chance.randrange(max(len(word) - 2, 1))
    return word[:place] + word[place : place + 2][::-1] + word[place + 2 :]


def _shortened(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, max(len(word) - 1, 2))
    return word[:place] + word[place + 1 :]


_WAYS: tuple[Callable[[_Account, random.Random], str], ...] = (
    lambda account, _: account[0],
    lambda account, _: account[0][:5],
    lambda account, chance: _swapped(account[0], chance),
    lambda account, _: account[1],
    lambda account, _: account[1].split()[-1],
    lambda account, _: account[1].split()[-1][:4],
    lambda account, chance: _swapped(account[1].split()[-1], chance),
    lambda account, chance: f"{account[1].split()[0]} {_shortened(account[1].split()[-1], chance)}",
    lambda account, _: account[2],
    lambda account, chance: _shortened(account[2], chance),
    lambda account, _: " ".join(account[2].split()[1:]),
    lambda account, _: account[3],
    lambda account, _: account[3][3:],
    lambda account, chance: _swapped(account[3], chance),
    lambda account, _: account[4],
    lambda account, _: account[4][:6],
)
