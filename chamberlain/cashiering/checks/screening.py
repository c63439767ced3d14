"""Whether the checks of a payment are taken, before it is posted, and what is kept of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from chamberlain.cashiering.checks import service
from chamberlain.cashiering.checks.bank_line import BankLine
from chamberlain.cashiering.checks.models import Check, Hold
from chamberlain.cashiering.checks.terms import Terms, terms_on
from chamberlain.cashiering.models import Tender, TillSession
from chamberlain.cashiering.tendering import TenderLine
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, NotPermitted, Refused
from chamberlain.kernel.money import show_cents


class NeedsApproval(Refused):
    """A check that the cashier may not take alone; a supervisor decides at the till."""


class NotTaken(Refused):
    """A check that nobody takes: it was declined, or its owner's checks are held."""


@dataclass(frozen=True, slots=True)
class Screened:
    """A check that is taken. nth: its place among the checks of the payment, from 0."""

    nth: int
    line: BankLine
    answer: str
    code: str
    reference: str
    approved_by_id: int | None


def screen(
    actor: Actor,
    session_id: int,
    payer_account_id: int,
    tenders: Sequence[TenderLine],
    now: datetime,
    key: str,
    approver: Actor | None,
) -> list[Screened]:
    """Looks at every check of a payment; asks the check service where the city's rules say so.

    key: of the payment, so that a repeated one gets the same answers. approver: who takes what
    the cashier may not take alone. Raises Invalid (a bottom line is needed), NotTaken,
    NeedsApproval, NotPermitted (the approver may not). It is called before the payment's
    transaction, since it waits for another program.
    """
    checks = [tender for tender in tenders if tender.kind == Tender.Kind.CHECK]
    if not checks:
        return []
    _refuse_held(payer_account_id, checks)
    terms = terms_on(timezone.localdate(now))
    found = []
    for nth, tender in enumerate(checks):
        _require_line(tender, terms)
        if tender.bank_line is None:
            continue
        answer = service.Answer(Check.Answer.NOT_ASKED)
        approved_by = None
        if terms is not None and tender.cents >= terms.verify_from_cents:
            answer = service.verify(tender.bank_line, tender.cents, f"{key}:{nth}")
            if answer.answer == service.DECLINE:
                raise NotTaken(
                    f"The check service declines the check of {show_cents(tender.cents)}"
                    f"{_code(answer)}. Give it back and ask for cash, a money order or a card.",
                    field="reference",
                )
            if not _is_taken_alone(tender, answer, terms):
                approved_by = _approved(actor, session_id, approver, tender, answer)
        found.append(
            Screened(
                nth,
                tender.bank_line,
                Check.Answer.APPROVED if approved_by else _KEPT.get(answer.answer, answer.answer),
                answer.code,
                answer.reference,
                approved_by,
            )
        )
    return found


_KEPT = {
    service.ACCEPT: Check.Answer.ACCEPTED,
    service.UNREACHABLE: Check.Answer.UNREACHABLE,
}


def _require_line(tender: TenderLine, terms: Terms | None) -> None:
    if terms is None or tender.bank_line is not None or tender.cents < terms.verify_from_cents:
        return
    raise Invalid(
        f"A check of {show_cents(tender.cents)} is taken with its bottom line; scan the check into "
        "the field of its number.",
        field="reference",
    )


def _refuse_held(payer_account_id: int, checks: Sequence[TenderLine]) -> None:
    wanted = Q(account_id=payer_account_id)
    for line in (tender.bank_line for tender in checks):
        if line is not None:
            wanted |= Q(routing=line.routing, bank_account=line.account)
    held = Hold.objects.filter(wanted, ended_at=None).order_by("put_at").first()
    if held is not None:
        raise NotTaken(
            f"No checks are taken of this customer since {held.put_at:%B %-d, %Y}: {held.reason}. "
            "Ask for cash, a money order or a card.",
            field="reference",
        )


def _is_taken_alone(tender: TenderLine, answer: service.Answer, terms: Terms) -> bool:
    if answer.answer == service.UNREACHABLE:
        return tender.cents <= terms.unreachable_up_to_cents
    return answer.answer == service.ACCEPT


def _approved(
    actor: Actor,
    session_id: int,
    approver: Actor | None,
    tender: TenderLine,
    answer: service.Answer,
) -> int:
    amount = show_cents(tender.cents)
    what = (
        f"The check service does not answer, and a check of {amount} is"
        if answer.answer == service.UNREACHABLE
        else f"The check service refers the check of {amount}{_code(answer)}: it is"
    )
    if approver is None:
        raise NeedsApproval(
            f"{what} taken only by a supervisor. They look at it and type their name here, or the "
            "customer pays otherwise.",
            field="approver",
        )
    center = TillSession.objects.values_list("till__center_id", flat=True).get(pk=session_id)
    approver.require("check.approve", center)
    if approver.user_id == actor.user_id:
        raise NotPermitted(
            "The check is approved by another person than the cashier; call a supervisor."
        )
    return approver.user_id


def _code(answer: service.Answer) -> str:
    return f" (code {answer.code})" if answer.code else ""


def keep(receipt_id: int, screened: Sequence[Screened]) -> None:
    """Keeps the checks of a receipt that was just posted, in the same transaction."""
    tenders = list(
        Tender.objects.filter(receipt_id=receipt_id, kind=Tender.Kind.CHECK).order_by("pk")
    )
    Check.objects.bulk_create(
        Check(
            tender=tenders[each.nth],
            routing=each.line.routing,
            account=each.line.account,
            number=each.line.number,
            answer=each.answer,
            code=each.code,
            reference=each.reference,
            approved_by_id=each.approved_by_id,
        )
        for each in screened
    )
