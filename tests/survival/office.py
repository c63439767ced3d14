"""A process of the office that may be killed at any moment; run by `test_killed.py`.

    python -m tests.survival.office prepare FOLDER ACCOUNTS
    python -m tests.survival.office take FOLDER FIRST CASHIERS ACCOUNTS
    python -m tests.survival.office prove FOLDER

A cashier writes each receipt into their own file, to the disk, once the operation has returned it:
that is the receipt that the customer holds. What is not in the file is tried again with its key.
"""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

DATABASE = "chamberlain_survival"
CENTS = 1000
DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
CASHIERS = 16


def set_up() -> None:
    os.environ["CHAMBERLAIN_DATABASE"] = DATABASE
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chamberlain.settings")
    import django

    django.setup()


def prepare(accounts: int) -> None:
    """A center with its tills open, and accounts that owe one charge each."""
    from chamberlain.database import setup

    os.environ["CHAMBERLAIN_DATABASE"] = DATABASE
    setup.prepare_private_server(DATABASE)
    set_up()
    setup.migrate()
    from chamberlain.cashiering.operations import ensure_till, open_business_day, open_till
    from chamberlain.identity.actors import actor_of, program_actor
    from chamberlain.identity.models import Center, Role, RoleAssignment, User
    from chamberlain.ledger import chart
    from chamberlain.ledger.operations import open_accounts
    from chamberlain.ledger.posting import NewCharge, NewEntry, raise_charges

    chart.ensure_basic_chart()
    chart.ensure_charge_kind("water", "Water", priority=1)
    center = Center.objects.create(code="CH", name="City Hall")
    day = open_business_day(program_actor(), center.pk, DAY, NOW)
    for nth in range(CASHIERS):
        user = User.objects.create(username=f"cashier-{nth}")
        RoleAssignment.objects.create(
            user=user,
            role=Role.CASHIER,
            center=center,
            period=(DAY, None),
            granted_by_id=program_actor().user_id,
        )
        till = ensure_till(center, f"CH-{nth}", cash_limit_cents=10**12)
        open_till(actor_of(user, DAY), till, {100: 5}, NOW)
    kind = chart.charge_kinds()["water"]
    ids = open_accounts([f"A-{nth}" for nth in range(accounts)], DAY)
    charges = [
        NewCharge(
            account_id, kind.id, kind.receivable_id, kind.revenue_id, CENTS, DAY, DAY, f"B{nth}"
        )
        for nth, account_id in enumerate(ids)
    ]
    raise_charges(NewEntry(day.pk, "bill", program_actor().user_id, NOW, "B", []), charges)


def take(folder: Path, first: int, cashiers: int, accounts: int) -> None:
    """Cashiers who take payments until they are told to stop or the process is killed."""
    set_up()
    with ThreadPoolExecutor(cashiers) as threads:
        list(
            threads.map(lambda nth: _cashier(folder, nth, accounts), range(first, first + cashiers))
        )


def _cashier(folder: Path, nth: int, accounts: int) -> None:
    """Two cashiers each want the same charges: one of them is paid, the other is refused."""
    printed = folder / f"printed-{nth}.txt"
    done = len(printed.read_text().splitlines()) if printed.exists() else 0
    share = accounts // (CASHIERS // 2)
    with printed.open("a") as out:
        while done < share and not (folder / "stop").exists():
            line = _pay(nth, (nth // 2) * share + done, f"key-{nth}-{done}")
            if line is None:
                time.sleep(0.1)
                continue
            out.write(line + "\n")
            out.flush()
            os.fsync(out.fileno())
            done += 1


def _pay(nth: int, account: int, key: str) -> str | None:
    """The receipt as it was printed, or why there is none; None when nobody knows."""
    from django.db import InterfaceError, OperationalError, connection

    from chamberlain.cashiering.models import TillSession
    from chamberlain.cashiering.operations import TenderLine, take_payment
    from chamberlain.identity.actors import actor_of
    from chamberlain.identity.models import User
    from chamberlain.kernel.errors import Refused
    from chamberlain.ledger.models import Charge

    try:
        user = User.objects.get(username=f"cashier-{nth}")
        session = TillSession.objects.get(cashier=user)
        charge = Charge.objects.get(document=f"B{account}")
        receipt = take_payment(
            actor_of(user, DAY),
            session.pk,
            charge.account_id,
            [(charge.pk, CENTS)],
            [TenderLine("cash", CENTS)],
            NOW,
            key,
        )
    except Refused as refusal:
        return f"{key} refused {type(refusal).__name__}"
    except (OperationalError, InterfaceError):
        connection.close()
        return None
    return f"{key} {receipt.number}"


def prove(folder: Path) -> None:
    """Holds what was printed against the books; prints what differs, and how much there is."""
    set_up()
    from django.db.models import F, Sum

    from chamberlain.cashiering.models import Receipt, TillSession
    from chamberlain.identity.actors import program_actor
    from chamberlain.ledger import proof
    from chamberlain.ledger.models import Settlement

    lines = [
        line.split()
        for path in sorted(folder.glob("printed-*.txt"))
        for line in path.read_text().splitlines()
    ]
    printed = {key: number for key, number, *why in lines if not why}
    booked = dict(Receipt.objects.values_list("entry__idempotency_key", "number"))
    wrong = [
        f"{key} was printed as {number}, in the books is {booked.get(key)}"
        for key, number in printed.items()
        if booked.get(key) != number
    ]
    twice = [n for n, times in Counter(booked.values()).items() if times > 1]
    wrong += [f"{number} is in the books twice" for number in twice]
    wrong += [str(each) for each in proof.prove(program_actor()).differences]
    over = Settlement.objects.filter(settled_cents__gt=CENTS).count()
    wrong += [f"{over} charges are paid twice"] if over else []
    for session in TillSession.objects.annotate(taken=Sum("receipts__total_cents")):
        if session.drawer_cents != session.float_cents + (session.taken or 0):
            wrong.append(f"drawer {session.till_id} does not add up")
    refused = sum(1 for line in lines if len(line) > 2)
    assert Receipt.objects.exclude(total_cents=F("tendered_cents")).count() == 0
    print(f"{len(printed)} printed, {len(booked)} booked, {refused} refused")
    print("\n".join(wrong) or "all agree")


if __name__ == "__main__":
    command, place, *numbers = sys.argv[1:]
    if command == "prepare":
        prepare(int(numbers[0]))
    elif command == "take":
        take(Path(place), *map(int, numbers))
    else:
        prove(Path(place))
