"""Days that a certificate stands for are not rebilled without another person's leave."""

from datetime import timedelta

import pytest

from chamberlain.billing.certificates.models import Certificate
from chamberlain.billing.certificates.queries import certified_until
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.rebilling import operations as rebilling
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.kernel.errors import NotPermitted
from chamberlain.metering.models import Read
from tests.billing.certificates_office import CLOSING, Desk, make_desk
from tests.billing.rebilling_scenes import load_limits, new
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    load_limits()
    return make_desk()


def a_little_less(desk: Desk) -> int:
    """A draft that lowers the usage of the last bill of the run by one unit; returns its id."""
    bill = Bill.objects.filter(run__isnull=False).latest("from_on")
    read = Read.objects.get(pk=bill.read_id)
    corrections = Corrections(reads={read.pk: read.usage_thousandths - 1000})
    asked = new(desk.place.account.pk, corrections, bill.from_on, bill.to_on)
    return rebilling.draft_rebill(desk.supervisor, asked, DAY, NOW, "k")


def test_days_of_a_certificate_are_rebilled_by_another_person_only(desk):
    desk.issued()
    rebill = a_little_less(desk)
    assert Rebill.objects.get(pk=rebill).needs_approval
    with pytest.raises(NotPermitted, match="certificate stands for"):
        rebilling.post_rebill(desk.supervisor, rebill, desk.place.day.pk, DAY, NOW)


def test_without_a_certificate_a_small_rebill_needs_nobody_else(desk):
    assert not Rebill.objects.get(pk=a_little_less(desk)).needs_approval


def test_a_certificate_stands_until_it_expires(desk):
    account = ServiceAgreement.objects.get().account_id
    assert certified_until([account], DAY) == {}
    desk.issued()
    ends = Certificate.objects.get().valid_until
    assert certified_until([account], ends - timedelta(days=1)) == {account: CLOSING}
    assert certified_until([account], ends) == {}
