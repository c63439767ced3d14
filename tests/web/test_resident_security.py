"""The public pages of an account let in nobody else, and show nobody else's."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone

from chamberlain.billing.access import operations
from chamberlain.billing.access.codes import application_code, bill_code
from chamberlain.billing.access.models import Entrance, PlanApplication
from chamberlain.billing.access.queries import asked_plans, held_by_number, own_charges
from chamberlain.billing.access.terms import load_resident_terms
from chamberlain.billing.documents import bill_data
from chamberlain.billing.penalties.operations import raise_penalties
from chamberlain.billing.penalties.policy import load_late_policies
from chamberlain.cashiering.hosted.models import Intent
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.ledger import chart
from chamberlain.registry import operations as registry
from tests import office
from tests.billing import certificates_office, plan_office
from tests.billing.test_penalties import move_on, policy
from tests.cashiering.hosted_office import SECRET, TERMS, notice, sent_intent, signed
from tests.office import DAY, NOW
from tests.web.scenes import Office, furnished_office

pytestmark = pytest.mark.django_db
ALWAYS = replace(TERMS, code_months=1200)
ENTER = "/my-account/enter/"
CARDS = override_settings(CARD_PROVIDER_URL="http://127.0.0.1:1", CARD_PROVIDER_SECRET=SECRET)


@pytest.fixture
def place() -> Office:
    cache.clear()
    load_resident_terms(program_actor(), [ALWAYS])
    return furnished_office()


def code_of(place: Office, which: int = -1) -> str:
    made = place.bills[which]
    return bill_code(made.pk, made.number)


def entered(place: Office) -> Client:
    client = Client()
    answer = client.post(ENTER, {"number": place.number, "code": code_of(place)})
    assert answer.status_code == 302, answer.content
    return client


def new_holder(place: Office, on: date = DAY) -> None:
    other = registry.register_customer(program_actor(), "person", "Jan Novak")
    registry.change_holder(program_actor(), place.account.pk, other, on)


def test_a_bill_carries_its_code_and_prints_the_same_one_again(place):
    [first] = bill_data([place.bills[0].pk])["bills"]
    assert first["code"] == code_of(place, 0) != code_of(place, 1)
    assert bill_data([place.bills[0].pk])["bills"][0]["code"] == first["code"]


def test_the_code_of_any_of_the_holders_late_bills_lets_in_however_it_is_typed(place):
    for typed in (code_of(place), code_of(place, 0).lower().replace("-", " ")):
        held = operations.enter(place.number.lower(), typed, "test", DAY, NOW)
        assert held is not None
        assert held.holder == "Maria Kowalski"


def test_a_code_ends_with_its_months_and_with_its_holder(place):
    load_resident_terms(program_actor(), [TERMS])
    late = DAY + timedelta(days=370)
    assert operations.enter(place.number, code_of(place), "test", late, NOW) is None
    new_holder(place)
    assert operations.enter(place.number, code_of(place), "test", DAY, NOW) is None
    with pytest.raises(Refused, match="no public pages"):
        operations.enter(place.number, "x", "test", date(2019, 1, 1), NOW)


def test_the_key_before_still_opens_while_it_is_changed(place, settings):
    code = code_of(place)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    assert code_of(place) != code
    assert operations.enter(place.number, code, "test", DAY, NOW)


def test_a_wrong_number_and_a_wrong_code_get_the_same_answer(place):
    answers = []
    for number, code in (("NO-SUCH", code_of(place)), (place.number, "AAAAA-AAAAA")):
        answer = Client().post(ENTER, {"number": number, "code": code})
        assert answer.status_code == 422
        answers.append(
            answer.content.decode().replace(number, "").replace(code, "").split("<main")[1]
        )
    first, second = ([line for line in a.splitlines() if "csrf" not in line] for a in answers)
    assert first == second
    assert list(Entrance.objects.order_by("pk").values_list("account_id", "was_let_in")) == [
        (None, False),
        (place.account.pk, False),
    ]


def test_the_eleventh_try_from_one_network_waits_and_an_ipv6_network_is_a_slash_64(place, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
    for i in range(11):
        answer = Client(REMOTE_ADDR=f"2001:db8:1:2::{i + 1}").post(
            ENTER, {"number": f"N-{i}", "code": "x"}
        )
    assert answer.status_code == 429
    other = Client(REMOTE_ADDR="2001:db8:1:3::1").post(ENTER, {"number": "N", "code": "x"})
    assert other.status_code == 422
    assert Entrance.objects.filter(network="2001:db8:1:2::/64").count() == 10


def test_the_eleventh_try_at_one_account_waits_wherever_it_comes_from(place):
    for i in range(11):
        answer = Client(REMOTE_ADDR=f"10.0.0.{i}").post(
            ENTER, {"number": place.number, "code": "x"}
        )
    assert answer.status_code == 429


def test_a_session_gets_a_new_key_ends_after_twenty_minutes_and_with_the_sign_out(place):
    client = Client()
    client.post("/my-account/language/", {"language": "es"})
    planted = client.session.session_key
    client.post(ENTER, {"number": place.number, "code": code_of(place)})
    assert client.session.session_key != planted
    assert client.get("/my-account/").status_code == 200
    session = client.session
    session["resident"] = session["resident"] | {"at": session["resident"]["at"] - 1201}
    session.save()
    assert client.get("/my-account/").url == ENTER
    client = entered(place)
    client.post("/my-account/leave/")
    assert client.get("/my-account/").url == ENTER


def test_a_session_ends_once_somebody_else_holds_the_account(place):
    client = entered(place)
    new_holder(place, timezone.localdate())
    assert client.get("/my-account/").url == ENTER


def test_another_accounts_bill_looks_like_none(place):
    client = entered(place)
    number = place.bills[0].number
    assert client.get(f"/my-account/bills/{number}/").status_code == 200
    pdf = client.get(f"/my-account/bills/{number}/bill.pdf")
    assert pdf.content.startswith(b"%PDF")
    assert "no-store" in pdf["Cache-Control"]
    new_holder(place, timezone.localdate())
    held = held_by_number(place.number, timezone.localdate())
    session = client.session
    session["resident"] = session["resident"] | {"holding": held.holding_id}
    session.save()
    for page in (f"/my-account/bills/{number}/", "/my-account/bills/none/"):
        for part in ("", "bill.pdf"):
            answer = client.get(page + part)
            assert answer.status_code == 404
            assert "There is nothing like that" in answer.content.decode()
    for page in ("", "bills/", "usage/", "payments/"):
        text = client.get(f"/my-account/{page}").content.decode()
        assert number not in text
        assert "Maria" not in text
        assert "LB-1" not in text


def test_forms_need_their_token(place):
    client = Client(enforce_csrf_checks=True)
    for page in (ENTER, "/my-account/leave/", "/my-account/language/", "/my-account/pay/"):
        assert client.post(page, {}).status_code == 403


def test_the_language_goes_back_only_to_pages_of_ours(place):
    client = Client()
    for back, to in (("https://elsewhere/", ENTER), ("//elsewhere", ENTER), (ENTER, ENTER)):
        answer = client.post("/my-account/language/", {"language": "es", "back": back})
        assert answer.url == to
    client.post("/my-account/language/", {"language": "xx"})
    text = client.get(ENTER).content.decode()
    assert '<html lang="es">' in text
    assert "Número de cuenta" in text
    english = Client(headers={"Accept-Language": "fr, en;q=0.5"}).get(ENTER)
    assert '<html lang="en">' in english.content.decode()


def test_every_page_of_the_account_is_said_in_spanish(place):
    client = entered(place)
    client.post("/my-account/language/", {"language": "es"})
    said = {
        "": "Usted debe",
        "bills/": "Sus facturas",
        f"bills/{place.bills[-1].number}/": "Esta factura es",
        "usage/": "Consumo por factura",
        "payments/": "Sus pagos",
        "plan/": "Plan de pagos",
    }
    for page, words in said.items():
        answer = client.get(f"/my-account/{page}")
        assert answer.status_code == 200
        assert words in answer.content.decode(), page
    assert " mar 2026" in client.get("/my-account/").content.decode().lower()


@CARDS
def test_a_notice_is_taken_when_it_is_signed_and_never_twice(place):
    held = held_by_number(place.number, DAY)
    body = notice(sent_intent(held))
    client = Client(enforce_csrf_checks=True)

    def send(signature: str) -> int:
        return client.post(
            "/card-payments/notices/",
            body,
            content_type="application/json",
            headers={"Signature": signature},
        ).status_code

    assert send(signed(body, timezone.now(), "wrong")) == 400
    assert send(signed(body, timezone.now() - timedelta(minutes=6))) == 400
    assert Intent.objects.get().status == "sent"
    right = signed(body, timezone.now())
    assert [send(right), send(right)] == [200, 200]
    assert Intent.objects.get().status == "posted"
    large = client.post("/card-payments/notices/", b"x" * 20_000, content_type="text/plain")
    assert large.status_code == 413


def test_without_a_provider_no_card_is_taken(place, settings):
    settings.CARD_PROVIDER_URL = ""
    client = entered(place)
    assert "Pay by card" not in client.get("/my-account/").content.decode()
    assert client.get("/my-account/pay/").url == "/my-account/"
    assert client.post("/card-payments/notices/").status_code == 404


@CARDS
def test_amounts_outside_the_limits_and_a_provider_that_is_away_are_said_by_the_field(place):
    client = entered(place)
    for amount, words in (
        ("1", "From $5.00 to $5,000.00"),
        ("x", "Type dollars and cents"),
        ("50", "Nothing was charged"),
    ):
        answer = client.post("/my-account/pay/", {"which": "other", "amount": amount, "key": "k"})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert client.get("/my-account/pay/done/").url == "/my-account/"


def test_a_plan_that_is_asked_for_waits_for_a_clerk_and_is_none_yet(place):
    plan_office.load_terms()
    today = timezone.localdate()
    held = held_by_number(place.number, today)
    choices = operations.plan_choices(held, today)
    assert choices
    client = entered(place)
    name = f"standard {len(choices[0].instalments)}"
    asked = {"plan": name, "phone": "312 555 0142", "key": "k"}
    assert client.post("/my-account/plan/", asked).status_code == 302
    assert "application is with us" in client.get("/my-account/plan/").content.decode()
    assert client.post("/my-account/plan/", asked | {"key": "k2"}).status_code == 200
    with pytest.raises(AlreadyDone):
        operations.ask_for_plan(held, "standard", 3, "", today, NOW, "k3")
    [row] = asked_plans()
    assert (row.account_number, row.plan_number) == (place.number, "")
    clerk = office.make_actor("robin", Role.CLERK)
    with pytest.raises(Invalid):
        operations.answer_plan_application(clerk, row.application_id, " ", NOW)
    with pytest.raises(NotFound):
        operations.answer_plan_application(clerk, 0, "no", NOW)
    operations.answer_plan_application(clerk, row.application_id, "Call us first.", NOW)
    with pytest.raises(AlreadyDone):
        operations.answer_plan_application(clerk, row.application_id, "no", NOW)
    assert "Call us first." in client.get("/my-account/plan/").content.decode()
    assert client.post("/my-account/plan/", asked | {"key": "k4"}).status_code == 302
    assert PlanApplication.objects.count() == 2


def test_an_application_for_a_certificate_stands_open_to_its_number_and_code_only(place):
    certificates_office.load_terms()
    clerk = office.make_actor("robin", Role.CLERK)
    desk = certificates_office.Desk(place, clerk, clerk)
    number = desk.apply()
    client = Client()
    right = {"number": number.lower(), "code": application_code(number)}
    text = client.post("/certificates/progress/", right).content.decode()
    assert "Received. Show your identification" in text
    assert "Novak" not in text
    assert "Kowalski" not in text
    for wrong in (right | {"code": "AAAAA-AAAAA"}, right | {"number": "FPA-999999"}):
        assert (
            "No application has" in client.post("/certificates/progress/", wrong).content.decode()
        )


def test_a_penalty_for_the_bill_of_the_holder_before_is_not_the_new_holders(place):
    chart.ensure_charge_kind("penalty", "Late payment penalty", 30)
    load_late_policies(program_actor(), [policy(charge_kinds=("water", "sewer"), exempt=())])
    new_holder(place, DAY)
    day = move_on(place.day, DAY + timedelta(days=60))
    raised = raise_penalties(program_actor(), day.day, day.pk, NOW, DAY - timedelta(days=90))
    assert raised.penalties > 0
    of = held_by_number(place.number, day.day)
    assert of is not None
    assert {charge.kind for charge in own_charges(of.account_id, of.since)} <= {"citation"}
    before = own_charges(of.account_id, DAY - timedelta(days=9_999))
    assert "penalty" in {charge.kind for charge in before}
