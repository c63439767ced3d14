"""Questions that reconciliation asked centers, and their answers."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from chamberlain.kernel.money import show_cents
from chamberlain.reconciliation.models import Question


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question to a center. about: the deposit or the line in words."""

    question_id: int
    center_id: int
    center_name: str
    about: str
    text: str
    asked_by: str
    asked_at: datetime
    answer: str
    answered_by: str
    answered_at: datetime | None


def questions(
    center_ids: Collection[int] | None = None, *, is_open: bool = False, limit: int = 100
) -> list[QuestionRow]:
    """Questions to these centers or to all, those without answer first."""
    found = Question.objects.select_related(
        "center", "deposit", "line", "asked_by", "answered_by"
    ).order_by(F("answered_at").desc(nulls_first=True), "-pk")
    if center_ids is not None:
        found = found.filter(center_id__in=center_ids)
    if is_open:
        found = found.filter(answered_at=None)
    return _question_rows(found[:limit])


def questions_about(deposit_id: int | None = None, line_id: int | None = None) -> list[QuestionRow]:
    """The questions about a deposit or about a line, the latest first."""
    found = Question.objects.select_related("center", "deposit", "line", "asked_by", "answered_by")
    found = (
        found.filter(deposit_id=deposit_id) if deposit_id else found.filter(line_id=line_id or 0)
    )
    return _question_rows(found.order_by("-pk"))


def _question_rows(found: Iterable[Question]) -> list[QuestionRow]:
    return [
        QuestionRow(
            question.pk,
            question.center_id,
            question.center.name,
            _about(question),
            question.text,
            str(question.asked_by),
            question.asked_at,
            question.answer,
            str(question.answered_by) if question.answered_by else "",
            question.answered_at,
        )
        for question in found
    ]


def _about(question: Question) -> str:
    if question.deposit is not None:
        deposit = question.deposit
        return f"Deposit {deposit.number}, {show_cents(deposit.cents)}, bag {deposit.bag_number}"
    line = question.line
    assert line is not None
    return f"Bank line of {line.value_on:%B %-d, %Y}, {show_cents(line.cents)}, {line.text[:80]}"
