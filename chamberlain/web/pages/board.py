"""The first page: for each role what it needs first."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.billing import queries as billing
from chamberlain.cashiering.listings import CenterRow, center_board
from chamberlain.cashiering.queries import open_session_of, void_requests
from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Role
from chamberlain.identity.queries import users
from chamberlain.ledger import statements
from chamberlain.reconciliation.queries import (
    count_unmatched_lines,
    reconciliations,
    unmatched_deposits,
)
from chamberlain.reconciliation.question_list import questions
from chamberlain.registry.queries import account_summary
from chamberlain.tariffs.queries import unverified_figures
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import SEEN

RUNS = 5
DAYS = 60
_SEES_RUNS = frozenset({Role.CLERK, Role.ACCOUNTS_SUPERVISOR})
_SEES_CENTERS = frozenset({Role.CENTER_SUPERVISOR, Role.COORDINATOR, Role.AUDITOR})
_TAKES_MONEY = frozenset({Role.CASHIER, Role.CENTER_SUPERVISOR})


@needs()
@require_safe
def board(request: OfficeRequest) -> HttpResponse:
    """What waits for this person, by the roles that they hold."""
    actor = actor_of_page(request)
    values: dict[str, Any] = {
        "today": timezone.localdate(),
        "role_names": ", ".join(sorted(role.label for role in actor.roles)),
        "sees_city": Role.ACCOUNTS_SUPERVISOR in actor.roles or Role.COORDINATOR in actor.roles,
    }
    if actor.roles & _TAKES_MONEY:
        values |= {"takes_money": True, "till": open_session_of(actor.user_id)}
    if actor.roles & _SEES_RUNS:
        numbers = request.session.get(SEEN, [])[:6]
        values |= {
            "sees_runs": True,
            "waiting": billing.unresolved_count(),
            "runs": billing.runs(RUNS),
            "seen": [account_summary(number) for number in numbers],
        }
    if actor.roles & _SEES_CENTERS:
        values |= _centers(actor) | _reconciliation(actor)
    if Role.AUDITOR in actor.roles:
        values |= {"sees_books": True, "days": statements.closed_days(8)}
    if Role.ADMINISTRATOR in actor.roles:
        values |= _administration()
    return render(request, "board/board.html", values)


def _centers(actor: Actor) -> dict[str, Any]:
    """The centers that the actor answers for, or all."""
    rows = [
        row for row in center_board() if not actor.center_ids or row.center_id in actor.center_ids
    ]
    return {
        "sees_centers": True,
        "centers": rows,
        "open_days": sum(row.is_open for row in rows),
        "open_tills": sum(row.open_tills for row in rows),
        "waiting_tills": sum(row.waiting_tills for row in rows),
        "voids": _voids(rows),
    }


def _reconciliation(actor: Actor) -> dict[str, Any]:
    """What is not at the bank yet, and the days of the actor's centers that wait for somebody."""
    states = [row.state for row in reconciliations(DAYS, actor.center_ids or None)]
    return {
        "unmatched_deposits": len(unmatched_deposits()),
        "unmatched_lines": count_unmatched_lines(),
        "questions": len(questions(actor.center_ids or None, is_open=True)),
        "to_prepare": states.count("to prepare"),
        "to_sign": states.count("to sign"),
    }


def _voids(rows: list[CenterRow]) -> int:
    return sum(len(void_requests(row.center_id)) for row in rows if row.is_open)


def _administration() -> dict[str, Any]:
    people = [user for user in users(timezone.localdate()) if not user.is_program]
    return {
        "administers": True,
        "people": len(people),
        "idle": sum(not user.roles for user in people),
        "unverified": len(unverified_figures()),
    }


@needs("account.view")
@require_safe
def city_owed(request: OfficeRequest) -> HttpResponse:
    """What the whole city is owed: fetched after the board, since it reads every open charge."""
    values = {"owed": statements.city_owed(timezone.localdate())}
    template = "board/city_owed.html" if request.headers.get("HX-Request") else "board/owed.html"
    return render(request, template, values)


urlpatterns = [
    path("", board, name="board"),
    path("board/owed/", city_owed, name="city_owed"),
]
