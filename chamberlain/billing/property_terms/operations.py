"""Agreements are brought to what their property's type says: anew from a day, or by a rebill."""

from datetime import date, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.property_terms.queries import Billing, Disagreement, disagreements_of
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.operations import NewRebill, draft_rebill
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, NotFound, Refused
from chamberlain.ledger.posting import lock_balances
from chamberlain.ledger.queries import account_id_of
from chamberlain.tariffs.models import Tariff


def terms_for_new(account_id: int, property_id: int, on: date) -> tuple[str, ...]:
    """Gives agreements that have just begun the terms of their property's type.

    Called by moving in, in its transaction. Returns what was taken from the type, in words.
    """
    found = disagreements_of(account_id, property_id, on)
    for each in found:
        ServiceAgreement.objects.filter(pk=each.agreement_id).update(**_values(each.right))
    return tuple(
        dict.fromkeys(
            f"{label.lower()} {right}" for each in found for label, _, right in each.differences
        )
    )


def agree_anew(
    actor: Actor, account_number: str, property_id: int, on: date, today: date
) -> tuple[Disagreement, ...]:
    """Agreements of an account go on from a day with the terms of their property's type.

    The agreements until then stay as they were. Returns what was changed. Raises NotFound,
    AlreadyDone when they say so already, Refused when a bill covers that day or a later one.
    """
    actor.require("property.approve_change")
    with acting(actor), transaction.atomic():
        account_id = account_id_of(account_number.strip())
        lock_balances([account_id])
        found = disagreements_of(account_id, property_id, on)
        if not found:
            raise AlreadyDone(
                f"Account {account_number} is billed as its property's type says on "
                f"{on:%B %-d, %Y} already."
            )
        for each in found:
            _refuse_billed(each, on)
            _go_on(each, on)
    return tuple(found)


def _refuse_billed(found: Disagreement, on: date) -> None:
    if not found.changes_money:
        return
    bill = (
        Bill.objects.filter(
            agreement_id=found.agreement_id,
            to_on__gt=on,
            replaced_by=None,
            entry__reversed_by=None,
        )
        .order_by("-to_on")
        .first()
    )
    if bill is not None:
        raise Refused(
            f"Bill {bill.number} covers days from {on:%B %-d, %Y} on; rebill account "
            f"{found.account} from that day instead.",
            field="on",
        )


def _go_on(found: Disagreement, on: date) -> None:
    agreement = ServiceAgreement.objects.select_for_update().get(pk=found.agreement_id)
    values = _values(found.right)
    until = agreement.period.upper
    if agreement.period.lower == on:
        ServiceAgreement.objects.filter(pk=agreement.pk).update(**values)
        return
    agreement.period = DateRange(agreement.period.lower, on)
    agreement.save(update_fields=["period"])
    fields = {
        field.attname: getattr(agreement, field.attname)
        for field in ServiceAgreement._meta.concrete_fields
        if not field.primary_key
    }
    ServiceAgreement.objects.create(**{**fields, **values, "period": DateRange(on, until)})


def _values(right: Billing) -> dict[str, object]:
    tariff = Tariff.objects.filter(code=right.tariff).values_list("pk", flat=True).first()
    if tariff is None:
        raise NotFound(f"There is no tariff {right.tariff}; load the city's tariffs.")
    return {
        "tariff_id": tariff,
        "rate_class": right.rate_class,
        "dwelling_units": right.dwelling_units,
        "exemptions": list(right.exemptions),
        "cycle_months": right.cycle_months,
    }


def draft_rebill_to_terms(
    actor: Actor,
    account_number: str,
    property_id: int,
    from_on: date,
    reason_code: str,
    today: date,
    now: datetime,
    idempotency_key: str,
) -> int:
    """Works out the rebill that brings an account to its property's type from a day on.

    Returns the rebill's id; it shows each bill, old against new, and is posted there, by a second
    person where the rules of rebilling ask one. Raises AlreadyDone when nothing differs, Refused
    when its services need different terms, and what `draft_rebill` raises.
    """
    actor.require("bill.rebill")
    account_id = account_id_of(account_number.strip())
    found = [
        each for each in disagreements_of(account_id, property_id, from_on) if each.changes_money
    ]
    if not found:
        raise AlreadyDone(
            f"Account {account_number} is billed as its property's type says on "
            f"{from_on:%B %-d, %Y}."
        )
    wanted = [_corrections(each) for each in found]
    if any(each != wanted[0] for each in wanted):
        raise Refused(
            "The services of this account need different terms; rebill them one after the other "
            "from the account's page."
        )
    first = found[0]
    note = f"{first.type_name} with {first.type_units} dwelling units from {from_on:%B %-d, %Y}"
    new = NewRebill(
        first.account, from_on, _until(property_id, from_on), reason_code, note, wanted[0]
    )
    return draft_rebill(actor, new, today, now, idempotency_key)


def _until(property_id: int, from_on: date) -> date | None:
    """The day on which the property becomes something else again."""
    query = """SELECT min(from_on) FROM registry_propertychange
        WHERE property_id = %s AND from_on > %s"""
    found: date | None = rows(query, [property_id, from_on])[0][0]
    return found


def _corrections(found: Disagreement) -> Corrections:
    """Only what differs is corrected."""
    old, right = found.old, found.right
    return Corrections(
        rate_class=right.rate_class if right.rate_class != old.rate_class else None,
        dwelling_units=right.dwelling_units if right.dwelling_units != old.dwelling_units else None,
        exemptions=right.exemptions if right.exemptions != old.exemptions else None,
        tariff_code=right.tariff if right.tariff != old.tariff else None,
    )
