"""Taking in a bank's file: stored by its hash, read as a whole or refused as a whole."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import polars as pl
from django.db import connection, transaction
from django.utils import timezone

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, BadFile, BadRecord
from chamberlain.kernel.frames import copy_frame, read_frame
from chamberlain.kernel.money import show_cents
from chamberlain.reconciliation.files.account_days import DELETION, TEST, AccountDay
from chamberlain.reconciliation.files.reading import read
from chamberlain.reconciliation.layouts import layout_of
from chamberlain.reconciliation.models import BankAccount, BankFile, Statement
from chamberlain.reconciliation.turns import wait_for_turn

CURRENCY = "USD"
NAME_MAX = 120

# What makes a line of a corrected statement the same as one of the statement before.
_IDENTITY = ["value_on", "cents", "type_code", "bank_reference", "customer_reference"]
_MATCHED = {
    "id": pl.Int64,
    "value_on": pl.Date,
    "cents": pl.Int64,
    "type_code": pl.String,
    "bank_reference": pl.String,
    "customer_reference": pl.String,
}
_MATCHED_LINES = """
    SELECT l.id, l.value_on, l.cents, l.type_code, l.bank_reference, l.customer_reference
    FROM reconciliation_bankline l
    WHERE l.statement_id = %s AND l.part_of_id IS NULL AND (l.same_as_id IS NOT NULL
        OR EXISTS (SELECT FROM reconciliation_matchedline m WHERE m.line_id = l.id)
        OR EXISTS (SELECT FROM reconciliation_bookedline b WHERE b.line_id = l.id)
        OR EXISTS (SELECT FROM reconciliation_bankline p WHERE p.part_of_id = l.id)
        OR EXISTS (SELECT FROM returned_returneditem r WHERE r.line_id = l.id))
    ORDER BY l.position
"""


def ensure_bank_account(number: str, name: str) -> int:
    """Makes an account of the city at a bank, so that its files are read; returns its id."""
    account, _ = BankAccount.objects.update_or_create(number=number, defaults={"name": name})
    return account.pk


def read_bank_file(
    actor: Actor, name: str, content: bytes, now: datetime, layout_name: str = ""
) -> int:
    """Reads a file of the bank into statements and lines. Returns the file's id.

    BAI2, camt, MT940 and OFX are known by their content; a CSV needs the name of its layout.

    A later statement of an account's day replaces the earlier one; what was matched on the
    earlier one must be in the later one too. Raises NotPermitted, NotFound (the
    layout), Invalid (none of these formats), AlreadyDone (the same file was read before), BadFile
    with every place and reason: a bad record, a total or count that does not hold, an account that
    is not the city's, another currency, a date to come, an opening balance that is not the closing
    balance of the day before. A refused file leaves nothing behind.
    """
    actor.require("bank_file.read")
    sha256 = hashlib.sha256(content).hexdigest()
    _refuse_second(sha256)
    kind, told = read(content, layout_of(layout_name) if layout_name else None)
    with transaction.atomic():
        wait_for_turn()
        _refuse_second(sha256)
        accounts = {a.number: a for a in BankAccount.objects.all()}
        faults = [*told.differences, *_faults(told.days, accounts, now)]
        if not faults:
            faults = _against_the_books(told.days, accounts)
        if faults:
            raise BadFile(
                f"The bank file has {len(faults)} fault{'s' * (len(faults) > 1)} and was not "
                "taken in; ask the bank to correct it.",
                faults,
            )
        file = BankFile.objects.create(
            sha256=sha256,
            name=name.strip()[:NAME_MAX],
            kind=kind,
            content=content,
            read_at=now,
            read_by_id=actor.user_id,
        )
        for day in told.days:
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
            (day.status == TEST, "it is marked as a test (group status 4)"),
            (day.status == DELETION, "it asks to delete what was sent (group status 2)"),
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


def _matched_lines(statement: Statement | None) -> pl.DataFrame:
    """Lines of a statement that are matched, by themselves or through what they repeat.

    As _MATCHED, with `nth`: the how many-eth of those that are alike.
    """
    if statement is None:
        return _counted(pl.DataFrame(schema=_MATCHED))
    connection.ensure_connection()
    return _counted(read_frame(connection.connection, _MATCHED_LINES, _MATCHED, [statement.pk]))


def _counted(lines: pl.DataFrame) -> pl.DataFrame:
    texts = ["type_code", "bank_reference", "customer_reference"]
    return lines.with_columns(pl.col(texts).fill_null("")).with_columns(
        nth=pl.int_range(pl.len()).over(_IDENTITY)
    )


def _lost_matches(day: AccountDay, account: BankAccount) -> list[BadRecord]:
    matched = _matched_lines(_current(day, account))
    if matched.is_empty():
        return []
    lost = matched.join(_counted(day.movements), on=[*_IDENTITY, "nth"], how="anti")
    return [
        BadRecord(
            f"line {day.line}",
            f"the corrected {day.as_of} leaves out {show_cents(cents)} "
            f"({reference or 'no reference'}), which is matched or booked already",
        )
        for cents, reference in lost.select("cents", "bank_reference").iter_rows()
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
    lines = day.movements
    matched = _matched_lines(replaced)
    if matched.is_empty():
        lines = lines.with_columns(same_as_id=pl.lit(None, pl.Int64))
    else:
        same = matched.select(*_IDENTITY, "nth", same_as_id="id")
        lines = _counted(lines).join(
            same, on=[*_IDENTITY, "nth"], how="left", maintain_order="left"
        )
    connection.ensure_connection()
    copy_frame(
        connection.connection,
        "reconciliation_bankline",
        lines.select(
            *_IDENTITY,
            "text",
            "same_as_id",
            position=pl.int_range(1, pl.len() + 1),
            statement_id=pl.lit(statement.pk),
        ),
    )
