"""Two clerks at the same counter in the same second."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from chamberlain.billing import occupancy
from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.occupancy import MovedIn
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import Refused
from chamberlain.registry import documents, findings, queries
from chamberlain.registry.models import Document, PropertyChange
from chamberlain.registry.operations import NewCustomer
from tests.office import DAY, NOW, make_actor
from tests.registry import papers
from tests.web.scenes import furnished_office


@pytest.fixture
def house(own_database, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    place = furnished_office()
    papers.property_types()
    found = queries.account_summary(place.number).property_id
    occupancy.move_out(program_actor(), place.account.pk, DAY, DAY)
    return found


def at_once(*works):
    """What each work returns, or its refusal, when all start together."""
    start = Barrier(len(works))

    def begin(work):
        start.wait()
        try:
            return work()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


def test_of_two_who_move_into_one_house_the_second_is_told_of_the_first(house):
    clerk = program_actor()
    done = at_once(
        *(
            lambda name=name: occupancy.move_in(clerk, house, NewCustomer(name), DAY, DAY)
            for name in ("Ida Wells", "Bo Diaz", "Ann Lee")
        )
    )
    [first] = [each for each in done if isinstance(each, MovedIn)]
    told = [each.sentence for each in done if isinstance(each, Refused)]
    assert len(told) == 2
    assert all(first.account_number in sentence for sentence in told)
    assert ServiceAgreement.objects.filter(period__endswith=None).count() == 1


def test_the_same_deed_at_two_counters_is_kept_once(house):
    clerk = program_actor()
    done = at_once(
        *[lambda: documents.keep_document(clerk, house, "deed", "deed.pdf", papers.pdf(), NOW)] * 3
    )
    assert len([each for each in done if isinstance(each, int)]) == 1
    assert Document.objects.count() == 1


def test_a_change_is_decided_once_though_two_supervisors_press_together(house):
    deed = documents.keep_document(program_actor(), house, "deed", "deed.pdf", papers.pdf(), NOW)
    found = findings.find_use(make_actor("clara", "clerk"), deed, "vacant", 0, DAY, NOW, DAY)
    sam, sue = (make_actor(name, "accounts_supervisor") for name in ("sam", "sue"))
    done = at_once(
        lambda: findings.decide_use(sam, found, True, NOW),
        lambda: findings.decide_use(sue, found, False, NOW, "Another parcel"),
    )
    assert len([each for each in done if isinstance(each, Refused)]) == 1
    assert PropertyChange.objects.count() <= 1
