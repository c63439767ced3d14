"""What the pages of reading routes answer: empty lists, wrong addresses, refusals, files."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from chamberlain.billing.estimating.due import due
from chamberlain.billing.estimating.models import TrueUp
from chamberlain.billing.running import run
from chamberlain.identity.models import Role
from chamberlain.metering.models import Read
from chamberlain.metering.routes.models import RouteFile
from tests.billing.estimating_scenes import metered_town, read_on
from tests.billing.test_estimating_true_up import estimated_town
from tests.billing.town import plan
from tests.web.conftest import STORAGES
from tests.web.test_empty_office import client_of
from tests.web.test_routes_pages import first_work_day, read_in, reading_town, with_last_year

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static_files() -> Iterator[None]:
    with override_settings(STORAGES=STORAGES):
        yield


@pytest.fixture
def clerk() -> Client:
    return client_of(Role.CLERK)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/routes/", "No route is on file yet."),
        ("/routes/true-ups/", "No estimate waits to be trued up."),
        ("/routes/true-ups/?cycle=2&page=9", "No estimate waits to be trued up."),
    ],
)
def test_an_empty_office_says_what_will_stand_there(
    clerk: Client, address: str, sentence: str
) -> None:
    answer = clerk.get(address)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/routes/r/none/", "/routes/r/none/sheet/", "/routes/r/none/sheet.csv",
        "/routes/r/none/reads/", "/routes/r/none/unread/", "/routes/files/9/",
        "/bill-runs/999999/unread/", "/bill-runs/999999/unread.csv",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_sentence(clerk: Client, address: str) -> None:
    assert clerk.get(address).status_code == 404


def test_who_may_not_is_told_so() -> None:
    cashier = client_of(Role.CASHIER)
    assert cashier.get("/routes/").status_code == 403
    auditor = client_of(Role.AUDITOR)
    assert auditor.get("/routes/").status_code == 200
    assert auditor.get("/routes/read-in/").status_code == 403
    assert auditor.post("/routes/true-ups/post/").status_code == 403


def test_a_file_that_is_none_is_refused_beside_its_field(clerk: Client) -> None:
    file = SimpleUploadedFile("routes.csv", b"route,cycle\nN-1,monthly\n")
    answer = clerk.post("/routes/read-in/", {"file": file})
    assert answer.status_code == 422
    assert "work_day is missing" in answer.content.decode()
    assert not RouteFile.objects.exists()


def test_what_was_typed_and_refused_stays_with_its_sentence(clerk: Client) -> None:
    town = reading_town()
    with_last_year(town)
    read_in(3)
    page = clerk.get("/routes/r/N-1/reads/")
    [first, second, _] = page.context["form"].stops
    typed = {
        "read_on": first_work_day().isoformat(),
        f"stop_{first.stop_id}": "185",
        f"stop_{second.stop_id}": "abc",
        "after": "0",
    }
    answer = clerk.post("/routes/r/N-1/reads/", typed)
    assert answer.status_code == 422
    assert "Enter a whole number" in answer.content.decode()
    assert Read.objects.filter(register=185).count() == 0
    answer = clerk.post("/routes/r/N-1/reads/", {**typed, f"stop_{second.stop_id}": ""})
    assert answer["Location"] == "/routes/r/N-1/reads/?after=20"
    assert Read.objects.filter(register=185).count() == 1


def test_what_cannot_be_estimated_is_a_file_for_work_orders(clerk: Client) -> None:
    town = metered_town(1)
    run_id = plan(town, reads_after=date(2026, 1, 10))
    run(run_id)
    page = clerk.get(f"/bill-runs/{run_id}/unread/")
    assert "For work orders (CSV)" in page.content.decode()
    lines = clerk.get(f"/bill-runs/{run_id}/unread.csv").content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("SP0,M00000,T00000,2024-01-01,0,Too little is known")


def test_a_run_that_wants_no_reads_has_nothing_unread(clerk: Client) -> None:
    run_id = plan(metered_town(1))
    assert "Unread" not in clerk.get(f"/bill-runs/{run_id}/").content.decode()
    assert clerk.get(f"/bill-runs/{run_id}/unread/").status_code == 422


def test_a_route_that_nobody_is_billed_on_is_not_estimated(clerk: Client) -> None:
    town = reading_town()
    read_in(3)
    assert clerk.get("/routes/r/N-1/sheet.csv").status_code == 200
    assert clerk.get("/routes/r/N-1/unread.csv?tariff=none").status_code == 404
    for agreement in town.agreements:
        agreement.is_metered = False
        agreement.save()
    answer = clerk.get("/routes/r/N-1/unread/")
    assert answer.status_code == 422
    assert "Nobody is billed by meter" in answer.content.decode()


def test_true_ups_that_changed_since_are_shown_again(clerk: Client) -> None:
    town = estimated_town()
    read_on(town.agreements[0], date(2025, 11, 1), 150)
    runs = ",".join(map(str, due().runs["run_id"]))
    assert clerk.post("/routes/true-ups/look/").status_code == 302
    page = clerk.post("/routes/true-ups/look/", {"all": "1", "cycle": "2"})
    assert page.status_code == 200
    seen = page.context["looked"].seen
    run(plan(town, "run-last"))
    answer = clerk.post("/routes/true-ups/post/", {"runs": runs, "seen": seen})
    assert answer.status_code == 409
    assert "changed since you looked" in answer.content.decode()
    assert not TrueUp.objects.exists()
    seen = answer.context["looked"].seen
    assert clerk.post("/routes/true-ups/post/", {"runs": runs, "seen": seen}).status_code == 302
    assert TrueUp.objects.count() == 1
