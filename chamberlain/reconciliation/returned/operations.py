"""A check that came back, or a card that was charged back.

What the tender had settled is open again, against what the bank takes from the city's account.
Where that cannot be (its payment was moved, its bill taken back, its credit used) the customer is
charged a *returned payment* instead, so that the whole amount is owed in any case. A returned check
also costs the city's fee, and no more checks are taken of who wrote it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from chamberlain.billing.adjusting.queries import adjustment_that_moved
from chamberlain.cashiering.checks.holds import hold_checks
from chamberlain.cashiering.checks.models import Check
from chamberlain.cashiering.checks.terms import terms_on
from chamberlain.cashiering.models import Tender
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import (
    Leg,
    NewCharge,
    NewEntry,
    lock_balances,
    post,
    raise_charges,
    sentences,
)
from chamberlain.ledger.queries import balance
from chamberlain.reconciliation.bank_lines import open_lines
from chamberlain.reconciliation.returned.models import ReturnedItem
from chamberlain.reconciliation.turns import wait_for_turn
from chamberlain.revenue.operations import Posting, charge_fee, next_number

PERMISSION = "payment.return"
NOTE_MAX = 160
RETURNABLE = (Tender.Kind.CHECK, Tender.Kind.CARD)
Reason = ReturnedItem.Reason


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the payment. charge_id: None for credit. receivable_id: of the charge's kind."""

    charge_id: int | None
    account_id: int
    receivable_id: int | None
    cents: int


def return_tender(
    actor: Actor,
    tender_id: int,
    reason: str,
    note: str,
    business_day_id: int,
    now: datetime,
) -> int:
    """Enters that a tender came back, on an open business day; returns the item's id.

    Raises NotPermitted (also the cashier of the payment), NotFound, Invalid (reason, note),
    AlreadyDone, DayClosed, Refused for a tender that cannot come back, a voided receipt, or one
    whose till is still open.
    """
    actor.require(PERMISSION)
    note = note.strip()
    if reason not in Reason.values:
        raise Invalid("Choose why it came back.", field="reason")
    if len(note) > NOTE_MAX:
        raise Invalid(f"The note has at most {NOTE_MAX} characters.", field="note")
    day = day_to_post_on(business_day_id)
    with transaction.atomic(), sentences():
        tender = _tender(actor, tender_id, reason)
        receipt = tender.receipt
        pieces = _pieces(tender)
        lock_balances(sorted({piece.account_id for piece in pieces} | {receipt.payer_account_id}))
        entry_id = _open_again(actor, tender, pieces, day, now, Reason(reason).label)
        fee = _fee(actor, tender, day, now)
        made = ReturnedItem.objects.create(
            tender=tender,
            reason=reason,
            note=note,
            returned_on=day.day,
            entry_id=entry_id,
            fee_id=fee,
            entered_by_id=actor.user_id,
            entered_at=now,
        )
        _hold(actor, tender, Reason(reason).label, now)
    return int(made.pk)


def _tender(actor: Actor, tender_id: int, reason: str) -> Tender:
    tender = (
        Tender.objects.select_for_update(of=("self",))
        .select_related("receipt__session__till__center", "receipt__payer_account")
        .filter(pk=tender_id)
        .first()
    )
    if tender is None:
        raise NotFound("There is no such tender; trace the payment again.")
    receipt = tender.receipt
    if tender.kind not in RETURNABLE:
        raise Refused("Only a check or a card comes back from the bank.")
    if (reason == Reason.CHARGEBACK) != (tender.kind == Tender.Kind.CARD):
        raise Invalid("A card is charged back, a check is returned; choose again.", field="reason")
    if ReturnedItem.objects.filter(tender=tender).exists():
        raise AlreadyDone(f"That this came back was entered before ({receipt.number}).")
    if receipt.void_entry_id:
        raise Refused(f"Receipt {receipt.number} was voided; there is nothing to return.")
    if receipt.session.closed_at is None:
        raise Refused(f"The till of receipt {receipt.number} is open; void the receipt instead.")
    if receipt.session.cashier_id == actor.user_id:
        raise NotPermitted(
            "A returned payment is entered by another person than its cashier; call a colleague."
        )
    return tender


_PAID = """
    SELECT t.charge_id, t.account_id, k.receivable_id, sum(t.cents)::bigint
    FROM ledger_transfer t
    LEFT JOIN ledger_charge c ON c.id = t.charge_id
    LEFT JOIN ledger_chargekind k ON k.id = c.kind_id
    WHERE t.entry_id = %s AND t.debit_id = %s
    GROUP BY t.charge_id, t.account_id, k.receivable_id ORDER BY min(t.id)
"""


def _pieces(tender: Tender) -> list[_Piece]:
    """What the tender settled: of several tenders of a kind, each has its own stretch in order."""
    receipt = tender.receipt
    till = chart.till_code(receipt.session.till.center.code, tender.kind)
    before = Tender.objects.filter(receipt=receipt, kind=tender.kind, pk__lt=tender.pk)
    skip = sum(before.values_list("cents", flat=True))
    left, pieces = tender.cents, []
    for charge_id, account_id, receivable_id, cents in rows(
        _PAID, [receipt.entry_id, chart.ledger_account_id(till)]
    ):
        passed = min(skip, cents)
        skip -= passed
        part = min(cents - passed, left)
        left -= part
        if part:
            pieces.append(_Piece(charge_id, account_id, receivable_id, part))
    return pieces


def _open_again(
    actor: Actor,
    tender: Tender,
    pieces: list[_Piece],
    day: BusinessDay,
    now: datetime,
    why: str,
) -> int:
    receipt = tender.receipt
    clearing_id, kind = chart.ensure_returned()
    legs: list[Leg] = []
    if adjustment_that_moved(receipt.entry_id) is None:
        for piece in pieces:
            legs += _leg(piece, clearing_id)
    lacking = tender.cents - sum(leg.cents for leg in legs)
    entry = NewEntry(
        day.pk,
        "returned",
        actor.user_id,
        now,
        receipt.number,
        legs,
        reason=f"{tender.get_kind_display()} {tender.reference}: {why}"[:200],
    )
    if not lacking:
        return post(entry)
    charge = NewCharge(
        receipt.payer_account_id,
        kind.id,
        kind.receivable_id,
        clearing_id,
        lacking,
        day.day,
        day.day,
        receipt.number,
    )
    entry_id, _ = raise_charges(entry, [charge])
    return entry_id


_SETTLED = "SELECT settled_cents FROM ledger_settlement WHERE charge_id = %s"


def _leg(piece: _Piece, clearing_id: int) -> list[Leg]:
    """What opens a part of the payment again, as far as it still stands."""
    if piece.charge_id is None:
        cents = min(piece.cents, balance(piece.account_id).credit_cents)
        debit_id = chart.ledger_account_id(chart.CREDITS)
        return [Leg(debit_id, clearing_id, cents, "none", piece.account_id)] if cents else []
    settled = sum(cents for (cents,) in rows(_SETTLED, [piece.charge_id]))
    cents = min(piece.cents, settled)
    assert piece.receivable_id is not None
    if not cents or _is_reversed(piece.charge_id):
        return []
    return [
        Leg(
            piece.receivable_id,
            clearing_id,
            cents,
            "unsettle",
            piece.account_id,
            piece.charge_id,
        )
    ]


def _is_reversed(charge_id: int) -> bool:
    """Whether the entry that raised a charge was reversed: then nothing of it is owed again."""
    query = """
        SELECT 1 FROM ledger_charge c JOIN ledger_entry r ON r.reverses_id = c.entry_id
        WHERE c.id = %s
    """
    return bool(rows(query, [charge_id]))


def _fee(actor: Actor, tender: Tender, day: BusinessDay, now: datetime) -> int | None:
    terms = terms_on(day.day)
    if tender.kind != Tender.Kind.CHECK or terms is None or not terms.returned_fee:
        return None
    posting = Posting(day.pk, now)
    return charge_fee(
        actor,
        tender.receipt.payer_account_id,
        next_number(),
        terms.returned_fee,
        f"Check {tender.reference} of {tender.receipt.number}",
        posting,
    )


def _hold(actor: Actor, tender: Tender, why: str, now: datetime) -> None:
    if tender.kind != Tender.Kind.CHECK:
        return
    line = Check.objects.filter(tender=tender).first()
    number = tender.receipt.payer_account.number
    bank = {"routing": line.routing, "bank_account": line.account} if line else {}
    taken = timezone.localdate(tender.receipt.taken_at)
    try:
        with transaction.atomic():
            hold_checks(
                actor,
                f"Check {tender.reference} of {taken:%B %-d, %Y} came back ({why.lower()})",
                now,
                account_number=number,
                **bank,
            )
    except AlreadyDone:
        pass  # they are held already


def find_at_bank(
    actor: Actor, item_id: int, line_id: int, business_day_id: int, now: datetime
) -> None:
    """Says that a debit of the bank's statement is the returned item: the money left the account.

    Raises NotPermitted, NotFound, AlreadyDone, DayClosed, Refused (another amount, or the line is
    taken).
    """
    actor.require(PERMISSION)
    day = day_to_post_on(business_day_id)
    with transaction.atomic():
        wait_for_turn()
        item = (
            ReturnedItem.objects.select_for_update(of=("self",))
            .select_related("tender__receipt")
            .filter(pk=item_id)
            .first()
        )
        if item is None:
            raise NotFound("There is no such returned item; look at the list.")
        if item.line_id:
            raise AlreadyDone("This item was found at the bank before.")
        line = open_lines().filter(pk=line_id).first()
        if line is None:
            raise Refused("That line of the bank is matched already or was replaced.", field="line")
        if line.cents != -item.tender.cents:
            raise Refused(
                f"The bank took {show_cents(-line.cents)}, and {show_cents(item.tender.cents)} "
                "came back; equal amounts only.",
                field="line",
            )
        clearing_id, _ = chart.ensure_returned()
        item.line_entry_id = post(
            NewEntry(
                day.pk,
                "returned_at_bank",
                actor.user_id,
                now,
                item.tender.receipt.number,
                [Leg(clearing_id, chart.ledger_account_id(chart.BANK), item.tender.cents)],
                reason=f"Line {line.position} of {line.value_on:%B %-d, %Y}",
            )
        )
        item.line_id, item.found_by_id, item.found_at = line.pk, actor.user_id, now
        item.save(update_fields=["line", "line_entry", "found_by", "found_at"])
