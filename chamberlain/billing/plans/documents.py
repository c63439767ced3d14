"""The page that the customer signs, as PDF/UA-1 by Typst."""

from pathlib import Path
from typing import Any

from django.conf import settings

from chamberlain.billing.plans.queries import PlanView
from chamberlain.kernel import paper
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import day_in_words

_TEMPLATE = Path(__file__).parent / "templates" / "plan.typ"


def plan_pdf(view: PlanView, holder: str) -> bytes:
    """The signature page of a plan. holder: the customer's name as it is printed."""
    return paper.pdf(_TEMPLATE, plan_data(view, holder))


def plan_data(view: PlanView, holder: str) -> dict[str, Any]:
    """What the template prints, as text."""
    plan, terms = view.plan, view.terms
    return {
        "city": settings.CITY_NAME,
        "title": f"Payment plan {plan.number}",
        "number": plan.number,
        "account": plan.account_number,
        "holder": holder,
        "terms": terms.name,
        "source": terms.source,
        "total": show_cents(plan.total_cents),
        "starts_on": day_in_words(plan.starts_on),
        "charges": [
            {
                "what": f"{charge.kind_name} {charge.document}",
                "due_on": day_in_words(charge.due_on),
                "amount": show_cents(charge.cents),
            }
            for charge in view.charges
        ],
        "instalments": [
            {
                "what": f"Instalment {each.number}" if each.number else "Down payment",
                "due_on": day_in_words(each.due_on),
                "amount": show_cents(each.cents),
            }
            for each in view.instalments
        ],
        "duties": _duties(view),
    }


def _duties(view: PlanView) -> list[str]:
    terms = view.terms
    said = ["While the plan is kept, no late penalty is charged on what is in it."]
    late = f"An instalment that is not paid within {terms.grace_days} days of its due date"
    if terms.needs_new_bills_paid:
        late += ", or a new bill that is not paid by then,"
    said.append(f"{late} ends the plan: everything left of it is then due at once.")
    if terms.reinstatements:
        said.append("A plan that ended so may be taken up again when the office approves it.")
    return said
