"""Meters over the API: put in once, exchanged within a period, taken out."""

from datetime import date

import pytest

from chamberlain.metering.models import ReadPart
from tests.api.conftest import Caller, caller, make_token
from tests.billing.estimating_scenes import metered_town, read_on

pytestmark = pytest.mark.django_db
NEW = {"serial": "N-2", "size": "5/8", "unit": "kgal", "register": 5}


def test_a_meter_is_exchanged_and_taken_out(call: Caller) -> None:
    [agreement] = metered_town(1).agreements
    path = f"/service-points/{agreement.service_point.code}/meters"
    read_on(agreement, date(2026, 1, 10), 100)
    assert [row["serial"] for row in call("GET", path).body] == ["M00000"]
    second = call("POST", path, {**NEW, "on": "2026-02-01"})
    assert second.status == 409, second.body
    body = {**NEW, "on": "2026-02-01", "last_register": 112}
    assert call("POST", f"{path}/exchange", {**body, "last_register": 5}).status == 409
    done = call("POST", f"{path}/exchange", body)
    assert done.status == 200, done.body
    assert [(row["serial"], row["until"]) for row in done.body] == [
        ("N-2", None),
        ("M00000", "2026-02-01"),
    ]
    assert ReadPart.objects.get().usage_thousandths == 12_000
    read = call("POST", "/reads", {"meter": "N-2", "on": "2026-03-01", "register": 14})
    assert read.status == 201, read.body
    reads = call("GET", f"/accounts/{agreement.account.number}/reads").body
    assert [row["usage_thousandths"] for row in reads][:1] in ([21_000], [])
    out = call("POST", f"{path}/remove", {"on": "2026-03-10", "last_register": 20})
    assert out.body[0]["until"] == "2026-03-10"
    assert call("POST", path, {**NEW, "on": "2026-03-11", "serial": "N-3"}).status == 201


def test_meters_need_their_scope_and_a_service_point(call: Caller) -> None:
    [agreement] = metered_town(1).agreements
    path = f"/service-points/{agreement.service_point.code}/meters"
    viewer = caller(make_token("account.view"))
    assert viewer("GET", path).status == 200
    assert viewer("POST", path, {**NEW, "on": "2026-02-01"}).status == 403
    assert call("GET", "/service-points/none/meters").status == 404
