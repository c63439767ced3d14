"""Citations, stock and journals over the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chamberlain.identity.actors import program_actor
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_accounts, seal_business_day
from chamberlain.reconciliation.general_ledger.operations import load_mapping, make_journals
from chamberlain.revenue.citations.nightly import work_on_citations
from tests.api.conftest import Caller, caller, make_token
from tests.cashiering import stock_office
from tests.office import DAY, NOW, Role, make_actor
from tests.reconciliation.test_general_ledger import MAPPING
from tests.revenue import citation_office

pytestmark = pytest.mark.django_db


def body(number: str = "C1", days_ago: int = 3, **more: str) -> dict[str, str]:
    on = DAY - timedelta(days=days_ago)
    return {
        "account": "A1", "number": number, "violation": "citation.meter", "plate": "AB 12 345",
        "issued_on": f"{on:%Y-%m-%d}", **more,
    }  # fmt: skip


@pytest.fixture
def office(day: BusinessDay) -> BusinessDay:
    citation_office.load()
    open_accounts(["A1"], DAY)
    return day


def test_a_citation_is_entered_once(office: BusinessDay, call: Caller) -> None:
    first = call("POST", "/citations", body(), Idempotency_Key="citation-1")
    again = call("POST", "/citations", body(), Idempotency_Key="citation-1")
    assert (first.status, again.status) == (201, 200), first.body
    assert first.body == again.body
    assert (first.body["plate"], first.body["open_cents"]) == ("AB12345", citation_office.FINE)
    other = call("POST", "/citations", body(plate="ZZ 1"), Idempotency_Key="citation-1")
    assert (other.status, "used for something else" in other.problem()) == (422, True)
    taken = call("POST", "/citations", body(), Idempotency_Key="citation-2")
    assert (taken.status, taken.problem()) == (409, "C1 was entered before; look it up.")
    assert call("GET", "/citations/C1").body["label"] == "Issued"


def test_a_vehicle_says_whether_it_may_be_booted(office: BusinessDay, call: Caller) -> None:
    for n in range(3):
        answer = call("POST", "/citations", body(f"C{n}", 30 + n), Idempotency_Key=f"citation-{n}")
        assert answer.status == 201, answer.body
    assert call("GET", "/vehicles/ab12345").body["may_be_booted_because"] == ""
    boss = make_actor("boss", Role.ACCOUNTS_SUPERVISOR)
    work_on_citations(boss, timezone.localdate(), office.pk, timezone.now())
    found = call("GET", "/vehicles/AB12345").body
    assert "3 are enough" in found["may_be_booted_because"]
    assert (found["open_cents"], found["is_booted"]) == (6 * citation_office.FINE, False)
    assert len(call("GET", "/citations/C1").body["charges"]) == 2


def test_a_citation_is_contested(office: BusinessDay, call: Caller) -> None:
    call("POST", "/citations", body(), Idempotency_Key="citation-1")
    answer = call("POST", "/citations/C1/contest", {"note": "The meter was broken"})
    assert (answer.status, answer.body["stage"]) == (200, "contested")
    assert call("POST", "/citations/C1/contest", {"note": "again"}).status == 409
    assert call("GET", "/citations/C9").status == 404


def test_a_token_needs_the_scope(office: BusinessDay) -> None:
    viewer = caller(make_token("account.view"))
    assert viewer("POST", "/citations", body(), Idempotency_Key="citation-1").status == 403
    assert viewer("GET", "/stock").status == 403
    assert viewer("GET", "/journals?since=2026-01-01&until=2026-12-31").status == 403


def test_stock_is_where_it_is(call: Caller) -> None:
    stock_office.with_stickers(stock_office.make_stock_office())
    rows = {(row["place"], row["count"]) for row in call("GET", "/stock").body}
    assert rows == {("the safe of Center CH", 80), ("till CH-1", 20)}
    found = call("GET", "/stock/city_sticker/S000007").body
    assert found["number"] == "S000007"
    assert [move["target"] for move in found["moves"]][-1] == "till CH-1"
    assert call("GET", "/stock/city_sticker/x").status == 422
    assert call("GET", "/stock/none/1").status == 404


def test_journals_are_taken_by_their_days(office: BusinessDay, call: Caller) -> None:
    call("POST", "/citations", body(), Idempotency_Key="citation-1")
    seal_business_day(program_actor(), office.pk, NOW)
    load_mapping(program_actor(), MAPPING)
    [number] = make_journals(program_actor(), NOW)
    day = f"{office.day:%Y-%m-%d}"
    assert call("GET", f"/journals?since={day}&until={day}").body == [number]
    found = call("GET", f"/journals/{number}").body
    assert sum(line["debit_cents"] for line in found["lines"]) == citation_office.FINE
    assert call("GET", "/journals/J-999999").status == 404
