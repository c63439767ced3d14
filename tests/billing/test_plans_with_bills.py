"""Instalments printed with the current bill, and the city's file of plans."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from chamberlain.billing.documents import bill_data, bill_pdf
from chamberlain.billing.plans import documents, queries
from chamberlain.billing.plans.models import PlanTerms
from chamberlain.billing.plans.operations import withdraw_plan
from chamberlain.billing.plans.schedule import most_instalments
from chamberlain.billing.plans.terms import terms_on
from chamberlain.cities.loading import CITIES, load_city
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import BadFile
from tests import office
from tests.billing.plan_office import load_terms, offered
from tests.office import DAY, NOW, Owed
from tests.web import scenes


@pytest.mark.django_db
def test_a_bill_names_the_instalments_until_the_next_bill() -> None:
    place = scenes.furnished_office()
    load_terms(charge_kinds=("water", "sewer"))
    clerk = office.make_actor("robin", Role.CLERK)
    charges = [
        charge
        for bill in place.bills
        for charge in bill.lines.values_list("charge_id", flat=True)
    ]  # fmt: skip
    plan = offered(clerk, Owed(place.account.pk, charges))
    ids = [bill.pk for bill in place.bills]
    due = queries.instalments_with_bills(ids)
    assert list(due) == [ids[-1]]
    assert [each.due_on for each in due[ids[-1]]] == [date(2026, 4, 2), date(2026, 5, 2)]
    pages = bill_data(ids)["bills"]
    assert [page["plan"] for page in pages[:-1]] == ["", ""]
    assert pages[-1]["plan"] == (
        f"To be paid under your payment plan {plan.number} until the next bill: "
        "$66.02 by April 2, 2026; $66.01 by May 2, 2026."
    )
    assert bill_pdf(ids).startswith(b"%PDF-")
    withdraw_plan(clerk, plan.number, "Pays all", DAY)
    assert queries.instalments_with_bills(ids) == {}


@pytest.mark.django_db
def test_the_page_to_sign_says_only_what_the_terms_say() -> None:
    load_terms(needs_new_bills_paid=False, reinstatements=0)
    owed = office.owe(office.open_day(office.make_center()), "A1", 80_000)
    plan = offered(office.make_actor("robin", Role.CLERK), owed)
    duties = documents.plan_data(queries.plan_view(plan.number, DAY), "Maria")["duties"]
    assert len(duties) == 2
    assert "a new bill" not in duties[1]


@pytest.mark.django_db
def test_chicagos_plans_are_loaded_with_the_former_rules_that_ended() -> None:
    loaded = load_city(program_actor(), CITIES / "chicago", NOW)
    assert [terms.code for terms in terms_on(DAY)] == ["standard"]
    former = {terms.code: terms for terms in terms_on(date(2015, 1, 1))}
    assert {code: each.down_payment_basis_points for code, each in former.items()} == {
        "general": 3_500,
        "hardship": 2_500,
        "after_shut_off": 5_000,
    }
    general = former["general"]
    longest = (general.longest_instalments, general.longer_instalments, general.longer_above_cents)
    assert most_instalments(200_000, 3_500, *longest) == 36
    assert PlanTerms.objects.filter(is_verified=False).count() == 4
    assert any(text.startswith("Standard payment plan") for text in loaded.unverified)
    assert any(text.startswith("Final bills") for text in loaded.unverified)


def faults(folder: Path, name: str, change: Any) -> list[str]:
    copied = folder / "chicago"
    shutil.copytree(CITIES / "chicago", copied)
    content = yaml.safe_load((copied / name).read_text())
    change(content)
    (copied / name).write_text(yaml.safe_dump(content))
    with pytest.raises(BadFile) as refused:
        read_city(copied)
    return [str(record) for record in refused.value.records]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"until": date(2020, 1, 1)}, "give a day after the first"),
        ({"down_payment_percent": "100"}, "below 100"),
        ({"down_payment_percent": "1.001"}, "below 100"),
        ({"longer_instalments": 40}, "give both or none"),
        ({"approvals": []}, "at least one of each"),
        ({"charge_kinds": ["gas"]}, "city.yaml has no gas"),
        ({"approvals": [{"up_to": "5.00", "roles": []}] * 2}, "a larger amount"),
        ({"approvals": [{"up_to": "5.00", "roles": ["mayor"]}]}, "should be 'cashier'"),
    ],
)
def test_a_fault_in_the_terms_is_said_with_its_place(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    found = faults(tmp_path, "plans.yaml", lambda c: c["plans"][0]["versions"][0].update(change))
    assert all(each.startswith("plans.yaml plans.0.versions.0") for each in found)
    assert sentence in found[0]


@pytest.mark.parametrize("times", [0, 2])
def test_a_plan_has_one_version_from_each_day(tmp_path: Path, times: int) -> None:
    found = faults(
        tmp_path,
        "plans.yaml",
        lambda c: c["plans"][0].update(versions=c["plans"][0]["versions"] * times),
    )
    assert found == [
        "plans.yaml plans.0: versions: a plan has one version from each of its days, at least one"
    ]


def test_terms_of_final_bills_name_reasons_of_the_city(tmp_path: Path) -> None:
    found = faults(
        tmp_path, "finals.yaml", lambda c: c["final_bills"][0].update(credit_reason="gift")
    )
    assert found == ["finals.yaml final_bills.0: adjustments.yaml has no gift"]
