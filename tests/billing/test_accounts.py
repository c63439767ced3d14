"""What billing knows of one account, and a run that goes on after it was stopped."""

import pytest

from chamberlain.billing import accounts, operations
from chamberlain.billing.models import BillRun
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, NotFound, NotPermitted
from chamberlain.ledger.queries import open_charges
from tests import office
from tests.web import scenes

pytestmark = pytest.mark.django_db


def test_an_account_shows_its_agreements_reads_and_bills() -> None:
    place = scenes.furnished_office()
    [agreement] = accounts.agreements_of_account(place.account.pk)
    assert (agreement.meter_serial, agreement.exemptions) == ("M-77120", ("senior",))
    reads = accounts.reads_of_account(place.account.pk, limit=2)
    assert [read.bill_number for read in reads] == ["88-203412", "88-203411"]
    assert accounts.count_reads(place.account.pk) == 3
    assert accounts.count_bills(place.account.pk) == 3


def test_a_charge_knows_the_line_and_the_read_it_was_billed_from() -> None:
    place = scenes.furnished_office()
    charges = open_charges([place.account.pk])
    found = accounts.billed_from([charge.charge_id for charge in charges])
    billed = found[charges[0].charge_id]
    assert (billed.bill_number, billed.line.code, billed.usage_thousandths) == (
        "88-203410",
        "water",
        9140,
    )
    citation = next(charge for charge in charges if charge.kind == "citation")
    assert citation.charge_id not in found


def test_a_stopped_run_may_go_on_but_a_done_one_has_nothing_left() -> None:
    place = scenes.furnished_office()
    actor = program_actor()
    with pytest.raises(AlreadyDone, match="nothing is left to bill"):
        operations.resume_bill_run(actor, place.run.pk)
    BillRun.objects.filter(pk=place.run.pk).update(status="stopped", stop_requested=True)
    operations.resume_bill_run(actor, place.run.pk)
    run = BillRun.objects.get(pk=place.run.pk)
    assert (run.status, run.stop_requested) == ("planned", False)
    with pytest.raises(NotFound):
        operations.resume_bill_run(actor, 999_999)
    with pytest.raises(NotPermitted):
        operations.resume_bill_run(office.make_actor("robin", Role.CLERK), place.run.pk)
