"""Payments that come over the API: each is posted once, on the charges that it is for."""

import threading

import pytest
from django.db import connections

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Center
from chamberlain.ledger import operations, queries
from chamberlain.ledger.models import BusinessDay, Entry
from chamberlain.ledger.proof import prove
from tests import office
from tests.api.conftest import Caller, caller, make_token

in_office = pytest.mark.django_db
KEY = "lockbox-2026-03-02-0001"


def body(account: str = "1001", cents: int = 5000, **more: object) -> dict[str, object]:
    return {
        "account": account,
        "cents": cents,
        "channel": "lockbox",
        "reference": "LB 7741",
        **more,
    }


@in_office
def test_a_payment_on_account_settles_in_the_city_s_order_and_leaves_a_credit(
    call: Caller, day: BusinessDay
) -> None:
    owed = office.owe(day, "1001", 3000, 1500)
    answer = call("POST", "/payments", body(cents=5000), Idempotency_Key=KEY)
    assert answer.status == 201
    first, second = owed.charge_ids
    assert answer.body["settled"] == [
        {"charge_id": first, "cents": 3000},
        {"charge_id": second, "cents": 1500},
    ]
    assert answer.body["credit_cents"] == 500
    assert (answer.body["day"], answer.body["center"]) == ("2026-03-02", "REV")
    balance = queries.balance(owed.account_id)
    assert (balance.owed_cents, balance.credit_cents) == (0, 500)
    assert prove(program_actor()).differences == ()

    again = call("GET", answer.headers["Location"].removeprefix("/api/v1"))
    assert again.body == answer.body


@in_office
def test_the_payer_names_the_charges(call: Caller, day: BusinessDay) -> None:
    first, second = office.owe(day, "1001", 3000, 1500).charge_ids
    answer = call(
        "POST",
        "/payments",
        body(cents=1000, items=[{"charge_id": second, "cents": 700}]),
        Idempotency_Key=KEY,
    )
    assert answer.body["settled"] == [{"charge_id": second, "cents": 700}]
    assert answer.body["credit_cents"] == 300
    shown = call("GET", f"/charges/{second}").body
    assert shown["open_cents"] == 800
    assert [(t["effect"], t["cents"]) for t in shown["transfers"]] == [
        ("raise", 1500),
        ("settle", 700),
    ]
    assert call("GET", f"/charges/{first}").body["open_cents"] == 3000


@in_office
def test_the_same_payment_sent_again_is_posted_once(call: Caller, day: BusinessDay) -> None:
    owed = office.owe(day, "1001", 3000)
    first = call("POST", "/payments", body(cents=1000), Idempotency_Key=KEY)
    second = call("POST", "/payments", body(cents=1000), Idempotency_Key=KEY)
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body
    assert queries.balance(owed.account_id).owed_cents == 2000


@in_office
@pytest.mark.parametrize(
    "other",
    [
        {"cents": 1001},
        {"account": "1002"},
        {"reference": "LB 7742"},
        {"channel": "bank"},
        {"items": "named"},
    ],
)
def test_a_key_is_not_used_for_another_payment(
    call: Caller, day: BusinessDay, other: dict[str, object]
) -> None:
    owed = office.owe(day, "1001", 3000)
    office.owe(day, "1002", 3000)
    call("POST", "/payments", body(cents=1000), Idempotency_Key=KEY)
    if "items" in other:
        other = {"items": [{"charge_id": owed.charge_ids[0], "cents": 1000}]}
    entries = Entry.objects.count()
    answer = call("POST", "/payments", {**body(cents=1000), **other}, Idempotency_Key=KEY)
    assert answer.status == 422
    assert "used for another payment" in answer.problem()
    assert answer.body["type"] == "urn:chamberlain:problem:key-used-before"
    assert Entry.objects.count() == entries


@in_office
def test_keys_of_two_senders_do_not_meet(day: BusinessDay) -> None:
    office.owe(day, "1001", 3000)
    statuses = [
        caller(make_token("payment.post"))(
            "POST", "/payments", body(cents=1000), Idempotency_Key=KEY
        ).status
        for _ in range(2)
    ]
    assert statuses == [201, 201]


@in_office
def test_every_bad_field_is_listed_and_nothing_is_posted(call: Caller, day: BusinessDay) -> None:
    office.owe(day, "1001", 3000)
    entries = Entry.objects.count()
    answer = call(
        "POST",
        "/payments",
        {
            "account": "1001",
            "cents": "10.00",
            "channel": "pigeon",
            "items": [{"charge_id": 1, "cents": 0}, {"charge_id": -1}],
            "amount": 3,
        },
    )
    assert answer.status == 422
    answer.problem()
    assert {error["place"] for error in answer.body["errors"]} == {
        "header.Idempotency-Key",
        "body.cents",
        "body.channel",
        "body.reference",
        "body.items.0.cents",
        "body.items.1.charge_id",
        "body.items.1.cents",
        "body.amount",
    }
    assert all(error["reason"] for error in answer.body["errors"])
    assert Entry.objects.count() == entries


@in_office
def test_what_does_not_fit_the_account_is_refused(call: Caller, day: BusinessDay) -> None:
    mine = office.owe(day, "1001", 3000).charge_ids[0]
    other = office.owe(day, "1002", 3000).charge_ids[0]
    entries = Entry.objects.count()
    for bad, status, sentence in (
        (body("9999"), 404, "no account 9999"),
        (body(items=[{"charge_id": other, "cents": 1}]), 422, "not open on account 1001"),
        (body(items=[{"charge_id": mine, "cents": 3001}]), 422, "Only $30.00 is open"),
        (body(cents=1, items=[{"charge_id": mine, "cents": 2}]), 422, "more than the $0.01"),
        (body(items=[{"charge_id": mine, "cents": 1}] * 2), 422, "each charge once"),
        (body(center="XX"), 404, "no center XX"),
    ):
        answer = call("POST", "/payments", bad, Idempotency_Key=KEY)
        assert answer.status == status, answer.body
        assert sentence in answer.problem()
    assert Entry.objects.count() == entries


@in_office
def test_a_closed_day_takes_no_payment(call: Caller, day: BusinessDay) -> None:
    office.owe(day, "1001", 3000)
    operations.seal_business_day(program_actor(), day.pk, office.NOW)
    answer = call("POST", "/payments", body(), Idempotency_Key=KEY)
    assert answer.status == 409
    assert "no open business day" in answer.problem()
    assert answer.body["type"] == "urn:chamberlain:problem:day-closed"


@in_office
def test_a_payment_may_be_posted_at_another_center(call: Caller, day: BusinessDay) -> None:
    office.owe(day, "1001", 3000)
    office.open_day(office.make_center("CH"))
    answer = call("POST", "/payments", body(center="CH"), Idempotency_Key=KEY)
    assert (answer.status, answer.body["center"]) == (201, "CH")


@in_office
def test_posting_needs_its_scope(day: BusinessDay) -> None:
    office.owe(day, "1001", 3000)
    call = caller(make_token("account.view"))
    answer = call("POST", "/payments", body(), Idempotency_Key=KEY)
    assert answer.status == 403
    assert "may not do this" in answer.problem()
    assert not Entry.objects.filter(kind="payment").exists()


@in_office
def test_an_unknown_payment_is_not_found(call: Caller) -> None:
    assert call("GET", "/payments/77").status == 404


def test_a_storm_of_the_same_payment_posts_it_once(
    own_database: str,
) -> None:
    center = office.make_center("REV")
    Center.objects.update(kind=Center.Kind.REVENUE_OFFICE)
    owed = office.owe(office.open_day(center), "1001", 3000)
    call = caller(make_token())
    statuses: list[int] = []

    def send() -> None:
        answer = call("POST", "/payments", body(cents=1000), Idempotency_Key=KEY)
        statuses.append(answer.status)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [201]
    assert queries.balance(owed.account_id).owed_cents == 2000
