"""Who moves out, buys and sells in the demonstration: final bills, certificates, deeds, owners."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from chamberlain.billing.certificates import queries as certificates
from chamberlain.billing.certificates.issuing import issue_certificate
from chamberlain.billing.certificates.operations import (
    Identification,
    NewApplication,
    accept_application,
    submit_application,
)
from chamberlain.billing.certificates.ordering import record_final_read
from chamberlain.billing.certificates.payoff import payoff_of, set_payoff
from chamberlain.billing.finals import queries as finals
from chamberlain.billing.finals.operations import Leaving, ask_final_bill, make_final_bill
from chamberlain.billing.finals.reading import estimate_final_read
from chamberlain.billing.occupancy import Forwarding
from chamberlain.cities.demonstration.desk import (
    A_PERSON,
    KEY,
    OWES,
    PAID_UP,
    Desk,
    Picked,
    first_of,
    one_of,
)
from chamberlain.database.rows import rows
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.paper import pdf
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.registry.documents import keep_document
from chamberlain.registry.models import Ownership, Property
from chamberlain.registry.operations import change_holder, register_customer
from chamberlain.registry.ownership import end_ownership, record_ownership

_DEED = Path(__file__).parent / "templates" / "deed.typ"
_USED_SINCE = 4
_METERED = """EXISTS (SELECT FROM billing_serviceagreement s
    WHERE s.account_id = a.id AND s.is_metered AND upper_inf(s.period))"""


def move_and_sell(desk: Desk) -> None:
    """People move out, with and without their final bill; properties are sold and shared."""
    one_of(desk, A_PERSON, partial(_moves_out, desk))
    one_of(desk, f"{OWES} AND {_METERED}", partial(_final_bill, desk))
    one_of(desk, PAID_UP, partial(_certificate, desk, which="received"))
    one_of(desk, PAID_UP, partial(_certificate, desk, which="accepted"))
    one_of(desk, f"{PAID_UP} AND {_METERED}", partial(_certificate_issued, desk))
    one_of(desk, PAID_UP, partial(_deed_came, desk))
    one_of(desk, PAID_UP, partial(_own_together, desk))
    one_of(desk, PAID_UP, partial(_hold_two, desk))


def _moves_out(desk: Desk, picked: Picked) -> int:
    forwarding = Forwarding("18 Cedar Court, Evanston IL", "60201")
    leaving = Leaving(picked.number, desk.today - timedelta(days=2), forwarding)
    return ask_final_bill(desk.clerk, leaving, desk.today, desk.now)


def _final_bill(desk: Desk, picked: Picked) -> None:
    """Nobody let the reader in, so that the usage up to the move is estimated."""
    move_out_id = _moves_out(desk, picked)
    for order in finals.final_reads(move_out_id):
        estimate_final_read(desk.clerk, order.order_id, desk.today)
    made = make_final_bill(desk.supervisor, move_out_id, desk.day_id, desk.now)
    if not made.bill_numbers:
        raise Refused("Everything was billed to this account before.")


def _certificate(desk: Desk, picked: Picked, which: str, closing_in_days: int = 30) -> str:
    seller, buyer = _holder(picked), "Irene Castellanos"
    closing_on = desk.today + timedelta(days=closing_in_days)
    asked = NewApplication(
        picked.number, "buyer", buyer, "312-555-0143", seller, buyer, closing_on
    )  # fmt: skip
    key = f"{KEY} certificate {which}"
    number = submit_application(desk.clerk, asked, desk.today, desk.now, key)
    if which != "received":
        seen = Identification(government_id=True)
        accept_application(desk.clerk, number, seen, desk.day_id, desk.now)
    return number


def _certificate_issued(desk: Desk, picked: Picked) -> None:
    """The meter is read, the payoff is paid at the lockbox, and a second person issues."""
    number = _certificate(desk, picked, "issued", closing_in_days=9)
    found = certificates.application(number)
    for order in certificates.final_reads(found.application_id):
        if order.last_register is None:
            raise Refused("Nothing is known of this meter.")
        register = order.last_register + _USED_SINCE
        record_final_read(desk.clerk, order.order_id, desk.today, register, desk.today)
    set_payoff(desk.clerk, number, desk.day_id, desk.now)
    open_charges = payoff_of(found.application_id).open_charges
    items = [(charge.charge_id, charge.open_cents) for charge in open_charges]
    paid = NewPayment(
        picked.number, sum(cents for _, cents in items), "lockbox", f"payoff {number}", items
    )
    post_payment(desk.supervisor, revenue_office().center_id, paid, desk.now, f"{KEY} payoff")
    issue_certificate(desk.supervisor, number, desk.today, desk.now)


def _deed_came(desk: Desk, picked: Picked) -> None:
    place = Property.objects.get(pk=picked.property_id)
    data = {
        "recorded_on": f"{desk.today - timedelta(days=9):%B %-d, %Y}",
        "seller": _holder(picked),
        "buyer": "Marguerite Olson",
        "address": place.address,
        "parcel": place.parcel_number,
        "dwelling_units": place.dwelling_units,
    }
    kept = pdf(_DEED, data)
    keep_document(desk.clerk, place.pk, "deed", "warranty-deed.pdf", kept, desk.now)


def _own_together(desk: Desk, picked: Picked) -> None:
    """The holder owned it alone; from today on it is owned with somebody else."""
    whole = Ownership.objects.filter(
        property_id=picked.property_id, customer_id=picked.customer_id, period__endswith=None
    ).first()
    if whole is None:
        raise Refused("The holder does not own this property.")
    end_ownership(desk.clerk, whole.pk, desk.today)
    other_id = register_customer(desk.clerk, "person", "Theodore Lindqvist")
    for customer_id, share in ((picked.customer_id, 6_000), (other_id, 4_000)):
        record_ownership(
            desk.clerk, picked.property_id, customer_id, desk.today, share_basis_points=share
        )


def _hold_two(desk: Desk, picked: Picked) -> None:
    """The holder of this account takes over the next one that is paid up."""
    others = first_of(PAID_UP, [*desk.taken, picked.account_id], most=1)
    if not others:
        raise Refused("No other account is paid up.")
    other = others[0]
    change_holder(desk.clerk, other.account_id, picked.customer_id, desk.today)
    desk.taken.append(other.account_id)


def _holder(picked: Picked) -> str:
    query = "SELECT name FROM registry_customer WHERE id = %s"
    return str(rows(query, [picked.customer_id])[0][0])
