"""Taking a payment: the office's most frequent act, in one call of the database.

The call (`sql/payment.sql`) checks the drawer and posts entry, transfers, receipt and tenders
together, so that there is no moment in which half a payment exists, and a payment costs one round
trip. What can be checked without the database is checked before.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl
import psycopg
from django.db import connection, transaction

from chamberlain.cashiering.checks.screening import keep, screen
from chamberlain.cashiering.receipts import (
    CREDIT_NAME,
    ReceiptLine,
    ReceiptTender,
    ReceiptView,
    receipt,
)
from chamberlain.cashiering.tendering import (
    Settling,
    TenderLine,
    change_of,
    check_items,
    check_tenders,
    is_amount,
    split,
)
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import allocation
from chamberlain.ledger.posting import DayClosed, OverSettled, sentences
from chamberlain.ledger.queries import charges_by_id, open_charges_frame

PERMISSION = "payment.take"
KEY_MAX = 64
_NO_CHARGE = "CS001"
_EVERY_CENTER = 0  # no center has this id: who may act there may act at every center

CALL = """
    SELECT outcome, receipt_id, receipt_number, center_id, center_code, center_name,
        center_address, till_code, cashier, payer_number, over_cents, line_charges,
        line_accounts, line_kinds, line_documents
    FROM cashiering_take_payment(%s::bigint, %s::bigint, %s::bigint[], %s::bigint, %s::timestamptz,
        %s::text, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint[], %s::text[],
        %s::bigint[], %s::text[], %s::bigint[], %s::text[])
"""


@dataclass(frozen=True, slots=True)
class _Payment:
    session_id: int
    payer_account_id: int
    items: tuple[tuple[int | None, int], ...]
    tenders: tuple[TenderLine, ...]
    settled: tuple[Settling, ...]
    total_cents: int
    tendered_cents: int
    change_cents: int
    taken_at: datetime
    idempotency_key: str

    @property
    def cash_cents(self) -> int:
        """What the drawer gains."""
        return sum(t.cents for t in self.tenders if t.kind == "cash") - self.change_cents


@dataclass(frozen=True, slots=True)
class _Outcome:
    outcome: str
    receipt_id: int | None
    receipt_number: str
    center_id: int
    center_code: str
    center_name: str
    center_address: str
    till_code: str
    cashier: str
    payer_number: str
    over_cents: int
    line_charges: list[int] | None
    line_accounts: list[str]
    line_kinds: list[str]
    line_documents: list[str]


def take_payment(
    actor: Actor,
    session_id: int,
    payer_account_id: int,
    items: Sequence[tuple[int, int]],
    tenders: Sequence[TenderLine],
    now: datetime,
    idempotency_key: str,
    *,
    on_account_cents: int = 0,
    keep_as_credit: bool = False,
    approver: Actor | None = None,
) -> ReceiptView:
    """Takes money at a till for a basket of charges, of one account or several.

    items: charge id and the cents to pay on it. on_account_cents: more money for the payer,
    which settles their other open charges in the city's order; what they do not need becomes
    credit. keep_as_credit: money above that becomes the payer's credit instead of change.
    idempotency_key: the same key again returns the same receipt and posts nothing. approver: the
    supervisor who takes a check that the cashier may not take alone.

    Raises NotPermitted, Invalid (tenders or basket wrong), OverSettled (a charge was paid in the
    meantime; the sentence names it and what is open), DayClosed, NotFound, and Refused for a
    closed till, another cashier's drawer, short tenders, change from other than cash, a check
    that is not taken or needs approval (`checks.screening`), or a drawer that would hold more
    cash than its limit. A refused payment changes nothing.
    """
    actor.require(PERMISSION)
    check_items(items)
    check_tenders(tenders)
    if not 0 < len(idempotency_key) <= KEY_MAX:
        raise Invalid(
            f"The payment needs a key of 1 to {KEY_MAX} characters; send it again from the form.",
            field="idempotency_key",
        )
    payment = _plan(
        session_id,
        payer_account_id,
        [*items, *_on_account(payer_account_id, items, on_account_cents)],
        tenders,
        now,
        idempotency_key,
        keep_as_credit,
    )
    checks = screen(actor, session_id, payer_account_id, tenders, now, idempotency_key, approver)
    with transaction.atomic() if checks else nullcontext():
        outcome = _post(actor, payment)
        if checks and outcome.outcome == "posted" and outcome.receipt_id is not None:
            keep(outcome.receipt_id, checks)
    if outcome.outcome == "posted":
        return _receipt(payment, outcome)
    if outcome.outcome == "repeated":
        return _first_receipt(payment, outcome)
    raise _refusal(actor, payment, outcome)


def _on_account(
    account_id: int, items: Sequence[tuple[int, int]], cents: int
) -> list[tuple[int | None, int]]:
    """What a payment on account settles besides the items, and what is left as credit."""
    if cents == 0:
        return []
    if not is_amount(cents):
        raise Invalid("The amount on account must be more than zero.", field="on_account")
    paid = pl.DataFrame(
        {"account_id": [account_id], "cents": [cents]},
        schema={"account_id": pl.Int64, "cents": pl.Int64},
    )
    charges = open_charges_frame([account_id]).filter(
        ~pl.col("charge_id").is_in([charge_id for charge_id, _ in items])
    )
    settled = allocation.allocate(paid, charges)
    left = allocation.left_over(paid, settled)["cents"].to_list()
    return [
        *zip(settled["charge_id"].to_list(), settled["cents"].to_list(), strict=True),
        *((None, credit) for credit in left),
    ]


def _plan(
    session_id: int,
    payer_account_id: int,
    items: list[tuple[int | None, int]],
    tenders: Sequence[TenderLine],
    now: datetime,
    idempotency_key: str,
    keep_as_credit: bool,
) -> _Payment:
    tendered = sum(tender.cents for tender in tenders)
    total = sum(cents for _, cents in items)
    if keep_as_credit and tendered > total:
        items.append((None, tendered - total))
        total = tendered
    if total == 0:
        raise Invalid(
            "There is nothing to pay; choose a charge or an amount on account.", field="items"
        )
    change = change_of(total, tenders)
    return _Payment(
        session_id=session_id,
        payer_account_id=payer_account_id,
        items=tuple(items),
        tenders=tuple(tenders),
        settled=tuple(split(items, tenders, change)),
        total_cents=total,
        tendered_cents=tendered,
        change_cents=change,
        taken_at=now,
        idempotency_key=idempotency_key,
    )


def _centers(actor: Actor) -> str:
    """The centers where the actor takes payments as an array for SQL; null for every one."""
    if actor.may(PERMISSION, _EVERY_CENTER):
        return "{null}"
    return _array(center for center in actor.center_ids if actor.may(PERMISSION, center))


def _array(values: Any) -> str:
    """Numbers as the text of an array: of one type for PostgreSQL, so that it plans once."""
    return "{" + ",".join("null" if value is None else str(value) for value in values) + "}"


def _parameters(actor: Actor, payment: _Payment) -> list[Any]:
    return [
        str(payment.session_id),
        str(actor.user_id),
        _centers(actor),
        str(payment.payer_account_id),
        payment.taken_at,
        payment.idempotency_key,
        str(payment.total_cents),
        str(payment.tendered_cents),
        str(payment.change_cents),
        str(payment.cash_cents),
        _array(settled.charge_id for settled in payment.settled),
        _array(settled.tender for settled in payment.settled),
        _array(settled.cents for settled in payment.settled),
        _array(tender.kind for tender in payment.tenders),
        _array(tender.cents for tender in payment.tenders),
        [tender.reference.strip() for tender in payment.tenders],
    ]


def _post(actor: Actor, payment: _Payment) -> _Outcome:
    """One call and, outside of a transaction, one commit."""
    connection.ensure_connection()
    in_transaction = connection.in_atomic_block
    try:
        with (
            sentences(),
            transaction.atomic() if in_transaction else nullcontext(),
            connection.wrap_database_errors,
            psycopg.Cursor(connection.connection) as cursor,
        ):
            return _Outcome(*_row(cursor, _parameters(actor, payment)))
    except OverSettled as error:
        raise _paid_meanwhile(payment) from error


def _row(cursor: psycopg.Cursor[Any], parameters: list[Any]) -> tuple[Any, ...]:
    try:
        row: tuple[Any, ...] | None = cursor.execute(CALL, parameters, prepare=True).fetchone()
    except psycopg.Error as error:
        if error.sqlstate != _NO_CHARGE:
            raise
        raise NotFound(
            "A charge of the basket does not exist, or this center has no account in the books "
            "for one of the tenders; look the customer up again or ask the coordinator.",
            field="items",
        ) from None
    assert row is not None
    return row


def _paid_meanwhile(payment: _Payment) -> OverSettled:
    asked = {charge_id: cents for charge_id, cents in payment.items if charge_id is not None}
    still_open = {charge.charge_id: charge for charge in charges_by_id(list(asked))}
    sentences_of_charges = []
    for charge_id, cents in asked.items():
        charge = still_open.get(charge_id)
        if charge is None:
            sentences_of_charges.append(
                f"Charge {charge_id} has nothing open any more: it was paid in the meantime; "
                "take it out of the basket."
            )
        elif charge.open_cents < cents:
            sentences_of_charges.append(
                f"{charge.kind_name} {charge.document} of account {charge.account_number} "
                f"(charge {charge_id}) has {show_cents(charge.open_cents)} open, not "
                f"{show_cents(cents)}; take what is still open."
            )
    return OverSettled(
        " ".join(sentences_of_charges) or "Look at the account again.", field="items"
    )


def _receipt(payment: _Payment, outcome: _Outcome) -> ReceiptView:
    assert outcome.receipt_id is not None
    charges = dict(
        zip(
            outcome.line_charges or [],
            zip(outcome.line_accounts, outcome.line_kinds, outcome.line_documents, strict=True)
            if outcome.line_charges
            else [],
            strict=True,
        )
    )
    credit = (outcome.payer_number, CREDIT_NAME, "")
    return ReceiptView(
        receipt_id=outcome.receipt_id,
        number=outcome.receipt_number,
        session_id=payment.session_id,
        till=outcome.till_code,
        center_code=outcome.center_code,
        center_name=outcome.center_name,
        center_address=outcome.center_address,
        cashier=outcome.cashier,
        taken_at=payment.taken_at,
        payer_account_number=outcome.payer_number,
        total_cents=payment.total_cents,
        tendered_cents=payment.tendered_cents,
        change_cents=payment.change_cents,
        lines=tuple(
            ReceiptLine(charge_id, *(charges[charge_id] if charge_id else credit), cents)
            for charge_id, cents in payment.items
        ),
        tenders=tuple(ReceiptTender(t.kind, t.cents, t.reference) for t in payment.tenders),
    )


def _first_receipt(payment: _Payment, outcome: _Outcome) -> ReceiptView:
    assert outcome.receipt_id is not None
    first = receipt(outcome.receipt_id)
    if (first.session_id, first.payer_account_number, first.tendered_cents) != (
        payment.session_id,
        outcome.payer_number,
        payment.tendered_cents,
    ):
        raise AlreadyDone(
            f"This form was used for receipt {first.number} before, which is another payment; "
            "start a new payment.",
            field="idempotency_key",
        )
    return replace(first, was_repeated=True)


def _refusal(actor: Actor, payment: _Payment, outcome: _Outcome) -> Refused:
    if outcome.outcome == "other_center":
        actor.require(PERMISSION, outcome.center_id)
    till, center = f"Till {outcome.till_code}", outcome.center_name
    over = show_cents(outcome.over_cents or 0)
    refusals = {
        "no_till": NotFound(f"There is no till session {payment.session_id}; open a till."),
        "other_cashier": Refused(
            f"{till} was opened by {outcome.cashier}; take the payment at your own till."
        ),
        "till_closed": Refused(f"{till} is closed; open it again before taking a payment."),
        "day_closed": DayClosed(f"The day of {center} is closed; open a till on the next day."),
        "drawer_full": Refused(
            f"This cash would put {over} more into till {outcome.till_code} than its limit; call "
            "the supervisor to make a drop first.",
            field="tenders",
        ),
        "no_account": NotFound("There is no such customer account; look the customer up again."),
        "key_taken": AlreadyDone(
            "This form was used for something else before; start a new payment.",
            field="idempotency_key",
        ),
    }
    return refusals[outcome.outcome]
