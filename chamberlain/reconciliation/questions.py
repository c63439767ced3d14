"""Asking a center about a deposit or a line of the bank, and its answer, which stays with it."""

from datetime import datetime

from django.db import transaction

from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Center
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.reconciliation.models import BankLine, Deposit, Question

TEXT_MAX = 400


def ask_center(
    actor: Actor,
    text: str,
    now: datetime,
    *,
    deposit_id: int | None = None,
    line_id: int | None = None,
    center_id: int | None = None,
) -> int:
    """Asks the center of a deposit, or a chosen center about a line. Returns the question's id.

    Raises NotPermitted, NotFound, Invalid.
    """
    actor.require("deposit.match")
    text = _text(text, "What do you want to know?", "text")
    if deposit_id is not None:
        deposit = Deposit.objects.select_related("business_day").filter(pk=deposit_id).first()
        if deposit is None:
            raise NotFound("There is no such deposit.")
        center_id, line_id = deposit.business_day.center_id, None
    elif line_id is None or not BankLine.objects.filter(pk=line_id).exists():
        raise NotFound("There is no such line of the bank.")
    if center_id is None or not Center.objects.filter(pk=center_id).exists():
        raise Invalid("Choose the center that is asked.", field="center")
    return Question.objects.create(
        center_id=center_id,
        deposit_id=deposit_id,
        line_id=line_id,
        text=text,
        asked_by_id=actor.user_id,
        asked_at=now,
    ).pk


def answer_question(actor: Actor, question_id: int, answer: str, now: datetime) -> None:
    """Answers for the center that was asked, once. Raises NotPermitted, NotFound, AlreadyDone."""
    with transaction.atomic():
        question = Question.objects.select_for_update().filter(pk=question_id).first()
        if question is None:
            raise NotFound("There is no such question.")
        actor.require("question.answer", question.center_id)
        if question.answered_at:
            raise AlreadyDone("This question was answered already.")
        question.answer = _text(answer, "Type the answer.", "answer")
        question.answered_by_id, question.answered_at = actor.user_id, now
        question.save(update_fields=["answer", "answered_by", "answered_at"])


def _text(text: str, sentence: str, field: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise Invalid(sentence, field=field)
    if len(stripped) > TEXT_MAX:
        raise Invalid(f"Use at most {TEXT_MAX} characters.", field=field)
    return stripped
