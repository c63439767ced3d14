"""The chart of ledger accounts: codes that operations post to, and how missing ones are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from chamberlain.identity.models import Center
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.models import ChargeKind, LedgerAccount

CREDITS = "2300"
BANK = "1000"
MOVES = "2390"
REFUNDS = "2400"
UNCLAIMED = "2410"
DEPOSITS = "2500"
RETURNED = "1045"
RETURNED_KIND = "returned"
DEPOSIT_INTEREST = "5300"
DEPOSIT_KIND = "deposit"
# What a line of the bank is that is no deposit: code, name and kind of its account.
BANK_LINES = {
    "fee": ("5410", "Bank fees", LedgerAccount.Kind.EXPENSE),
    "card_fee": ("5420", "Card fees", LedgerAccount.Kind.EXPENSE),
    "interest": ("4910", "Interest earned", LedgerAccount.Kind.REVENUE),
    "transfer": ("1090", "Transfers between the city's accounts", LedgerAccount.Kind.ASSET),
    "unknown": ("2490", "Receipts not identified", LedgerAccount.Kind.LIABILITY),
}
# Where money is paid that no counter took, until the bank has it.
CHANNELS = {
    "lockbox": "Lockbox",
    "processor": "Card and online processor",
    "bank": "Bank transfer",
    "agency": "Payment agent",
}


def till_code(center_code: str, tender: str) -> str:
    """The account for a tender lying in the tills of a center."""
    return f"1010-{center_code}-{tender}"


def vault_code(center_code: str, tender: str) -> str:
    """The account for money of a center that is bagged and on its way to the bank."""
    return f"1020-{center_code}-{tender}"


def change_fund_code(center_code: str) -> str:
    """The account for what is missing from the fixed sum that a center opens its tills with."""
    return f"1030-{center_code}"


def clearing_code(channel: str) -> str:
    """The account for money that came by a channel and that the bank has not reported yet."""
    return f"1040-{channel}"


def over_short_code(center_code: str) -> str:
    """The account for cash found over or short at a center."""
    return f"5100-{center_code}"


def adjustment_code(kind: str) -> str:
    """The account that bears adjustments of a kind."""
    return f"5200-{kind}"


@dataclass(frozen=True, slots=True)
class KindOfCharge:
    """A charge kind with the ledger accounts that its charges stand in and are earned by."""

    id: int
    code: str
    name: str
    receivable_id: int
    revenue_id: int
    priority: int


@lru_cache(maxsize=4096)
def _ledger_account_id(database: str, code: str) -> int:
    found = LedgerAccount.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"There is no ledger account {code}; load the city's chart of accounts.")
    return int(found)


def ledger_account_id(code: str) -> int:
    """The id of a ledger account, remembered for each database; raises NotFound."""
    return _ledger_account_id(str(connection.settings_dict["NAME"]), code)


def forget() -> None:
    """Forgets the remembered ids; needed where rows are rolled back, as in tests."""
    _ledger_account_id.cache_clear()


def charge_kinds() -> dict[str, KindOfCharge]:
    """All charge kinds by code."""
    return {
        kind.code: KindOfCharge(
            kind.pk, kind.code, kind.name, kind.receivable_id, kind.revenue_id, kind.priority
        )
        for kind in ChargeKind.objects.all()
    }


def ensure_basic_chart() -> None:
    """Makes the accounts that every city has. Harmless when they are there."""
    _ensure(BANK, "City bank account", LedgerAccount.Kind.ASSET)
    for channel, name in CHANNELS.items():
        _ensure(clearing_code(channel), f"{name}: on the way", LedgerAccount.Kind.ASSET)
    _ensure(
        CREDITS,
        "Customers' credits",
        LedgerAccount.Kind.LIABILITY,
        control=LedgerAccount.Control.CREDITS,
    )


def ensure_adjusting_accounts(kinds: Mapping[str, str]) -> None:
    """Makes the accounts that adjustments need. kinds: names of those that the office bears."""
    _ensure(MOVES, "Moved between customers' accounts", LedgerAccount.Kind.LIABILITY)
    _ensure(REFUNDS, "Refunds to be paid out", LedgerAccount.Kind.LIABILITY)
    _ensure(UNCLAIMED, "Unclaimed credits to be handed over", LedgerAccount.Kind.LIABILITY)
    for kind, name in kinds.items():
        _ensure(adjustment_code(kind), f"Adjustments: {name}", LedgerAccount.Kind.EXPENSE)


def ensure_returned() -> tuple[int, KindOfCharge]:
    """The account of returned payments until the bank takes them, and the kind of their charges."""
    account = _ensure(RETURNED, "Returned payments: the bank takes", LedgerAccount.Kind.ASSET)
    kinds = charge_kinds()
    if RETURNED_KIND not in kinds:
        ensure_charge_kind(RETURNED_KIND, "Returned payment", 5)
        kinds = charge_kinds()
    return account.pk, kinds[RETURNED_KIND]


def ensure_bank_line_account(kind: str) -> int:
    """The account of a line of the bank that is no deposit, by `BANK_LINES`."""
    code, name, of = BANK_LINES[kind]
    return _ensure(code, name, of).pk


def ensure_charge_kind(code: str, name: str, priority: int) -> None:
    """Makes a charge kind with its control account and its revenue account."""
    receivable = _ensure(
        f"1200-{code}",
        f"Receivable: {name}",
        LedgerAccount.Kind.ASSET,
        control=LedgerAccount.Control.CHARGES,
    )
    revenue = _ensure(f"4000-{code}", f"Revenue: {name}", LedgerAccount.Kind.REVENUE)
    ChargeKind.objects.get_or_create(
        code=code,
        defaults={
            "name": name,
            "receivable": receivable,
            "revenue": revenue,
            "priority": priority,
        },
    )


def ensure_deposit_accounts(name: str, priority: int) -> None:
    """Makes the charge kind of customers' deposits, whose other side is held and never earned."""
    held = _ensure(DEPOSITS, "Customers' deposits", LedgerAccount.Kind.LIABILITY)
    _ensure(DEPOSIT_INTEREST, "Interest on customers' deposits", LedgerAccount.Kind.EXPENSE)
    receivable = _ensure(
        f"1200-{DEPOSIT_KIND}",
        f"Receivable: {name}",
        LedgerAccount.Kind.ASSET,
        control=LedgerAccount.Control.CHARGES,
    )
    ChargeKind.objects.update_or_create(
        code=DEPOSIT_KIND,
        defaults={"name": name, "receivable": receivable, "revenue": held, "priority": priority},
    )


def ensure_center_accounts(center: Center, tenders: list[str]) -> None:
    """Makes a center's accounts: money in tills and bags, change fund, over and short."""
    for tender in tenders:
        label = tender.replace("_", " ")
        _ensure(
            till_code(center.code, tender),
            f"{center.name}: {label} in tills",
            LedgerAccount.Kind.ASSET,
            center=center,
        )
        _ensure(
            vault_code(center.code, tender),
            f"{center.name}: {label} to the bank",
            LedgerAccount.Kind.ASSET,
            center=center,
        )
    _ensure(
        change_fund_code(center.code),
        f"{center.name}: change fund",
        LedgerAccount.Kind.ASSET,
        center=center,
    )
    _ensure(
        over_short_code(center.code),
        f"{center.name}: over and short",
        LedgerAccount.Kind.EXPENSE,
        center=center,
    )


def _ensure(
    code: str,
    name: str,
    kind: str,
    *,
    control: str = LedgerAccount.Control.NONE,
    center: Center | None = None,
) -> LedgerAccount:
    account, _ = LedgerAccount.objects.get_or_create(
        code=code, defaults={"name": name, "kind": kind, "control": control, "center": center}
    )
    return account
