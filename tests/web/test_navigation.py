"""The navigation is one short list, or one in groups under headings."""

from chamberlain.identity.actors import Actor, Grant
from chamberlain.identity.models import Role
from chamberlain.web.navigation import SHORT_LIST, navigation


def _actor(role: Role) -> Actor:
    return Actor(user_id=1, name="Robin", grants=frozenset({Grant(role, None)}))


def test_a_long_list_has_each_heading_once_above_its_group() -> None:
    places = navigation(_actor(Role.ACCOUNTS_SUPERVISOR), "/routes/7/")
    headings = [place.heading for place in places if place.heading]
    assert headings == ["Customers", "Metering", "Billing", "Payments", "Office"]
    assert places[0].heading == ""
    assert [place.label for place in places if place.current] == ["Reading routes"]


def test_a_cashiers_short_list_needs_no_headings() -> None:
    places = navigation(_actor(Role.CASHIER), "/counter/")
    assert len(places) <= SHORT_LIST
    assert {place.heading for place in places} == {""}
    assert [place.label for place in places][:2] == ["Board", "Counter"]
