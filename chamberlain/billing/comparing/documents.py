"""The explaining letter and the billing analysis as PDF/UA-1, by Typst."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from chamberlain.billing import queries
from chamberlain.billing.comparing.analysis import Analysis, BillAnalysed
from chamberlain.billing.comparing.owing import Owing
from chamberlain.billing.comparing.queries import Why
from chamberlain.billing.comparing.words import (
    Comparison,
    days_in_words,
    signed,
)
from chamberlain.billing.estimating.queries import how_estimated
from chamberlain.billing.explanation import explain_line, quantity_in_words
from chamberlain.kernel import paper
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import day_in_words

_TEMPLATES = Path(__file__).parent / "templates"


def letter_pdf(why: Why, written_on: date) -> bytes:
    """The letter that tells a customer why a bill is this much."""
    bill = why.bill
    lines = queries.lines_of_bill(bill.bill_id)
    used = ""
    if bill.usage_thousandths is not None and bill.unit is not None:
        quantity = quantity_in_words(bill.usage_thousandths, bill.unit)
        used = f"The meter counted {quantity}."
        if bill.quality == "estimate":
            how = how_estimated([bill.bill_id]).get(bill.bill_id, "")
            used = f"Nobody read the meter; {quantity} are estimated. {how}".rstrip()
    return paper.pdf(
        _TEMPLATES / "letter.typ",
        {
            "city": settings.CITY_NAME,
            "title": f"Why bill {bill.number} is {show_cents(bill.total_cents)}",
            "written_on": day_in_words(written_on),
            "account": bill.account_number,
            "holder": bill.holder,
            "address": bill.address,
            "number": bill.number,
            "total": show_cents(bill.total_cents),
            "days": days_in_words(bill.from_on, bill.to_on),
            "used": used,
            "comparisons": [_compared(each) for each in why.comparisons],
            "owing": _owing(why.owing) if why.owing else None,
            "lines": [
                {
                    "label": line.label,
                    "explained": explain_line(line),
                    "amount": show_cents(line.cents),
                }
                for line in lines
            ],
        },
    )


def _compared(each: Comparison) -> dict[str, Any]:
    return {
        "title": f"Against {each.name[0].lower()}{each.name[1:]}",
        "headline": each.headline,
        "before": show_cents(each.before.total_cents),
        "now": show_cents(each.bill.total_cents),
        "change": signed(each.change_cents),
        "parts": [
            {"label": part.label, "sentence": part.sentence, "amount": signed(part.cents)}
            for part in each.parts
            if part.cents or part.name in ("days", "usage", "rates")
        ],
    }


def _owing(owing: Owing) -> dict[str, Any]:
    return {
        "since": day_in_words(owing.since),
        "on": day_in_words(owing.on),
        "before": show_cents(owing.before_cents),
        "reasons": [
            {"label": each.label, "sentence": each.sentence, "amount": signed(each.cents)}
            for each in owing.reasons
        ],
        "bill": signed(owing.bill_cents),
        "now": show_cents(owing.now_cents),
    }


def analysis_pdf(
    analysis: Analysis,
    account: tuple[str, str, str],
    written_on: date,
    chart: str = "",
    chart_alt: str = "",
) -> bytes:
    """The analysis as a report. account: number, holder, address; chart: an SVG, or none."""
    number, holder, address = account
    rated = sum(each.rated_cents for each in analysis.bills)
    return paper.pdf(
        _TEMPLATES / "analysis.typ",
        {
            "city": settings.CITY_NAME,
            "title": f"Billing analysis of account {number}",
            "written_on": day_in_words(written_on),
            "holder": holder,
            "address": address,
            "summary": summary(analysis),
            "chart": chart,
            "chart_alt": chart_alt,
            "bills": [_bill_row(each) for each in analysis.bills],
            "billed": show_cents(analysis.billed_cents),
            "rated": show_cents(rated),
            "variance": signed(analysis.variance_cents),
            "variances": variances_in_words(analysis.bills),
        },
    )


def summary(analysis: Analysis) -> str:
    """What the analysis found, in two or three sentences."""
    bills = len(analysis.bills)
    sentences = [
        f"{bills} bill{'' if bills == 1 else 's'} of {show_cents(analysis.billed_cents)} "
        f"end in {days_in_words(analysis.from_on, analysis.to_on)}."
    ]
    if bills:
        sentences.append(
            f"{analysis.variances} of them differ from what reads and rates give, "
            f"by {signed(analysis.variance_cents)} in all."
            if analysis.variances
            else "Each is what its read and its rates give, to the cent."
        )
    if analysis.left_out:
        sentences.append(f"Bills that were taken back are left out: {analysis.left_out}.")
    return " ".join(sentences)


def variances_in_words(bills: Sequence[BillAnalysed]) -> list[str]:
    """A sentence for each bill that differs, or that cannot be rated again."""
    found = []
    for each in bills:
        if each.refusal:
            found.append(f"Bill {each.bill.number} cannot be rated again: {each.refusal}")
        elif each.variance_cents or any(line.variance_cents for line in each.lines):
            lines = "; ".join(
                f"{line.label} billed {show_cents(line.billed_cents)}, "
                f"rated {show_cents(line.rated_cents)}"
                for line in each.lines
                if line.variance_cents
            )
            found.append(f"Bill {each.bill.number}: {lines}.")
    return found


def _bill_row(each: BillAnalysed) -> dict[str, str]:
    unit = each.bill.unit
    similar = each.similar
    return {
        "number": each.bill.number,
        "days": f"{days_in_words(each.bill.from_on, each.bill.to_on)} ({each.days})",
        "used": quantity_in_words(each.usage_thousandths, unit) if unit else "not metered",
        "daily": f"{each.daily_thousandths / 1000:,.3f}" if unit else "–",
        "similar": f"{similar.middle / 1000:,.3f}" if similar else "–",
        "billed": show_cents(each.bill.total_cents),
        "rated": "–" if each.refusal else show_cents(each.rated_cents),
        "variance": "–" if each.refusal else signed(each.variance_cents),
    }
