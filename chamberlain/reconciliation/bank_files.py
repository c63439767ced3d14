"""Taking in a bank's file: stored by its hash, read as a whole or refused as a whole."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, BadFile, BadRecord
from chamberlain.kernel.money import show_cents
from chamberlain.reconciliation import bai2_file
from chamberlain.reconciliation.bai2_file import AccountDay
from chamberlain.reconciliation.models import BankAccount, BankFile, BankLine, Statement
from chamberlain.reconciliation.turns import wait_for_turn

CURRENCY = "USD"
NAME_MAX = 120
_DELETION, _TEST = "2", "4"

Identity = tuple[object, int, str, str, str]


def ensure_bank_account(number: str, name: str) -> int:
    """Makes an account of the city at a bank, so that its files are read; returns its id."""
    account, _ = BankAccount.objects.update_or_create(number=number, defaults={"name": name})
    return account.pk


def read_bank_file(actor: Actor, name: str, content: bytes, now: datetime) -> int:
    """Reads a BAI2 file into statements and lines. Returns the file's id.

    A later statement of an account's day replaces the earlier one; what was matched on the
    earlier one must be in the later one too. Raises NotPermitted, Invalid (no BAI2 file),
    AlreadyDone (the same file was read before), BadFile with every place and reason: a bad
    record, a total or count that does not hold, an account that is not the city's, another
    currency, a date to come, an opening balance that is not the closing balance of the day
    before. A refused file leaves nothing behind.
    """
    actor.require("bank_file.read")
    sha256 = hashlib.sha256(content).hexdigest()
    _refuse_second(sha256)
    read = bai2_file.read(content)
    with transaction.atomic():
        wait_for_turn()
        _refuse_second(sha256)
        accounts = {a.number: a for a in BankAccount.objects.all()}
        faults = [*read.differences, *_faults(read.days, accounts, now)]
        if not faults:
            faults = _against_the_books(read.days, accounts)
        if faults:
            raise BadFile(
                f"The bank file has {len(faults)} fault{'s' * (len(faults) > 1)} and was not "
                "taken in; ask the bank to correct it.",
                faults,
            )
        file = BankFile.objects.create(
            sha256=sha256,
            name=name.strip()[:NAME_MAX],
            kind="bai2",
            content=content,
            read_at=now,
            read_by_id=actor.user_id,
        )
        for day in read.days:
            _store(file, accounts[day.account_number], day)
    return file.pk


def _refuse_second(sha256: str) -> None:
    if file := BankFile.objects.filter(sha256=sha256).first():
        day = timezone.localtime(file.read_at)
        raise AlreadyDone(
            f"This file was read before as “{file.name}” on {day:%B %-d, %Y}; nothing was changed.",
            field="file",
        )


def _faults(
    days: Sequence[AccountDay], accounts: dict[str, BankAccount], now: datetime
) -> list[BadRecord]:
    today = timezone.localtime(now).date()
    told = Counter((day.account_number, day.as_of) for day in days)
    faults = []
    for day in days:
        for is_wrong, reason in (
            (
                day.account_number not in accounts,
                f"account {day.account_number} is not the city's; add it if it should be",
            ),
            (day.currency != CURRENCY, f"currency {day.currency}; only {CURRENCY} is taken in"),
            (day.as_of > today, f"the day {day.as_of} is still to come"),
            (day.group_status == _TEST, "it is marked as a test (group status 4)"),
            (day.group_status == _DELETION, "it asks to delete what was sent (group status 2)"),
            (
                told[day.account_number, day.as_of] > 1,
                f"account {day.account_number} has {day.as_of} twice",
            ),
        ):
            if is_wrong:
                faults.append(BadRecord(f"line {day.line}", reason))
    return faults


def _against_the_books(
    days: Sequence[AccountDay], accounts: dict[str, BankAccount]
) -> list[BadRecord]:
    """Continuity with the days before and after, and with what was matched on the same day."""
    faults = []
    for day in sorted(days, key=lambda day: (day.account_number, day.as_of)):
        account = accounts[day.account_number]
        faults += _gap_before(day, days, account)
        faults += _gap_after(day, days, account)
        faults += _lost_matches(day, account)
    return faults


def _neighbour(
    day: AccountDay, days: Sequence[AccountDay], account: BankAccount, *, before: bool
) -> AccountDay | Statement | None:
    """The nearest day of the account that is known, in the same file or in earlier ones."""
    stored = Statement.objects.filter(bank_account=account, replaced_by=None)
    same_account = [d for d in days if d.account_number == day.account_number]
    known: list[AccountDay | Statement]
    if before:
        known = [d for d in same_account if d.as_of < day.as_of]
        known += stored.filter(as_of__lt=day.as_of).order_by("-as_of")[:1]
        return max(known, key=lambda d: (d.as_of, isinstance(d, AccountDay)), default=None)
    known = [d for d in same_account if d.as_of > day.as_of]
    known += stored.filter(as_of__gt=day.as_of).order_by("as_of")[:1]
    return min(known, key=lambda d: (d.as_of, isinstance(d, Statement)), default=None)


def _gap_before(
    day: AccountDay, days: Sequence[AccountDay], account: BankAccount
) -> list[BadRecord]:
    earlier = _neighbour(day, days, account, before=True)
    if earlier is None or None in (earlier.closing_cents, day.opening_cents):
        return []
    if earlier.closing_cents == day.opening_cents:
        return []
    return [
        BadRecord(
            f"line {day.line}",
            f"account {account.number} opens {day.as_of} with {show_cents(day.opening_cents or 0)} "
            f"but closed {earlier.as_of} with {show_cents(earlier.closing_cents or 0)}; a "
            "statement in between is missing or wrong",
        )
    ]


def _gap_after(
    day: AccountDay, days: Sequence[AccountDay], account: BankAccount
) -> list[BadRecord]:
    later = _neighbour(day, days, account, before=False)
    if not isinstance(later, Statement) or None in (later.opening_cents, day.closing_cents):
        return []
    if later.opening_cents == day.closing_cents:
        return []
    return [
        BadRecord(
            f"line {day.line}",
            f"account {account.number} closes {day.as_of} with "
            f"{show_cents(day.closing_cents or 0)} but opened {later.as_of} with "
            f"{show_cents(later.opening_cents or 0)} in the statement read before",
        )
    ]


def _current(day: AccountDay, account: BankAccount) -> Statement | None:
    return Statement.objects.filter(bank_account=account, as_of=day.as_of, replaced_by=None).first()


def _identity(line: BankLine) -> Identity:
    return (
        line.value_on,
        line.cents,
        line.type_code,
        line.bank_reference,
        line.customer_reference,
    )


def _matched_lines(statement: Statement | None) -> list[BankLine]:
    """Lines of a statement that are matched, by themselves or through what they repeat."""
    if statement is None:
        return []
    lines = BankLine.objects.filter(statement=statement).select_related("match", "returned")
    return [
        line
        for line in lines.order_by("position")
        if line.same_as_id is not None or hasattr(line, "match") or hasattr(line, "returned")
    ]


def _lost_matches(day: AccountDay, account: BankAccount) -> list[BadRecord]:
    told = Counter(_identity(line) for line in _lines(day))
    matched = Counter(_identity(line) for line in _matched_lines(_current(day, account)))
    return [
        BadRecord(
            f"line {day.line}",
            f"the corrected {day.as_of} leaves out {show_cents(int(str(identity[1])))} "
            f"({identity[3] or 'no reference'}), which is matched with a deposit",
        )
        for identity in (matched - told)
    ]


def _lines(day: AccountDay) -> list[BankLine]:
    return [
        BankLine(
            position=position,
            value_on=movement.value_on,
            cents=movement.cents,
            type_code=movement.type_code,
            bank_reference=movement.bank_reference,
            customer_reference=movement.customer_reference,
            text=movement.text,
        )
        for position, movement in enumerate(day.movements, start=1)
    ]


def _store(file: BankFile, account: BankAccount, day: AccountDay) -> None:
    replaced = _current(day, account)
    statement = Statement.objects.create(
        file=file,
        bank_account=account,
        as_of=day.as_of,
        opening_cents=day.opening_cents,
        closing_cents=day.closing_cents,
        replaces=replaced,
    )
    matched: dict[Identity, list[BankLine]] = {}
    for line in _matched_lines(replaced):
        matched.setdefault(_identity(line), []).append(line)
    lines = _lines(day)
    for line in lines:
        line.statement = statement
        if same := matched.get(_identity(line)):
            line.same_as = same.pop(0)
    BankLine.objects.bulk_create(lines)
