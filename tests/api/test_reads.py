"""Reads over the API: typed, estimated where nobody read, trued up by the next read."""

from datetime import date

import pytest

from chamberlain.identity.actors import program_actor
from chamberlain.ledger.proof import prove
from chamberlain.metering.models import Read
from tests.api.conftest import Caller, caller, make_token
from tests.billing.estimating_scenes import metered_town, read_on
from tests.billing.test_estimating_true_up import estimated_town

pytestmark = pytest.mark.django_db


def test_a_read_is_recorded_and_a_lower_one_is_refused(call: Caller) -> None:
    [agreement] = metered_town(1).agreements
    read_on(agreement, date(2026, 1, 10), 100)
    body = {"meter": "M00000", "on": "2026-03-01", "register": 112}
    made = call("POST", "/reads", body)
    assert made.status == 201, made.body
    again = call("POST", "/reads", body)
    assert again.status == 409
    lower = call("POST", "/reads", {**body, "on": "2026-03-02", "register": 5})
    assert "M00000" in lower.problem()
    number = agreement.account.number
    assert [row["usage_thousandths"] for row in call("GET", f"/accounts/{number}/reads").body] in (
        [12_000, 100_000],
        [],
    )
    assert Read.objects.count() == 2


def test_what_nobody_read_is_estimated_once(call: Caller) -> None:
    town = metered_town(3)
    for agreement in town.agreements:
        read_on(agreement, date(2026, 1, 10), 100)
    for agreement in town.agreements[:2]:
        read_on(agreement, date(2026, 3, 1), 110)
    body = {
        "tariff": "chicago-metered",
        "reads_after": "2026-01-10",
        "reads_up_to": "2026-03-01",
    }
    [unread] = call("POST", "/reads/unread", body).body["items"]
    assert (unread["serial"], unread["how"]) == ("M00002", "last_year")
    made = call("POST", "/reads/estimate", body, Idempotency_Key="estimates-of-march")
    assert made.body == {"estimates": 1, "refused": 0}
    call("POST", "/reads/estimate", body, Idempotency_Key="estimates-of-march")
    assert Read.objects.filter(quality="estimate").count() == 1
    viewer = caller(make_token("account.view"))
    assert viewer("POST", "/reads/unread", body).status == 403
    assert viewer("POST", "/reads/estimate", body, Idempotency_Key="another-key").status == 403


def test_estimates_are_seen_and_trued_up(call: Caller) -> None:
    estimated_town()
    [due] = call("GET", "/true-ups").body["items"]
    assert due["refusal"] is None
    assert due["total_thousandths"] == 30_000
    looked = call("POST", "/true-ups/look", {"runs": [due["run_id"]]}).body
    [weighed] = looked["true_ups"]
    changed = call("POST", "/true-ups/post", {"runs": [due["run_id"]], "seen": "another"})
    assert changed.status == 409
    body = {"runs": [due["run_id"]], "seen": looked["seen"]}
    done = call("POST", "/true-ups/post", body)
    assert done.status == 200, done.body
    assert done.body["posted"] + done.body["asked"] == 1
    assert done.body["difference_cents"] in (0, weighed["difference_cents"])
    assert call("GET", "/true-ups").body["items"] == []
    assert prove(program_actor()).differences == ()
