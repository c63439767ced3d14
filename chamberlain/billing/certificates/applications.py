"""Applications: taken at the desk or from the public page, accepted with identification."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from chamberlain.billing.certificates.models import Application, CertificateTerms
from chamberlain.billing.certificates.obstacles import check_held, check_no_deed
from chamberlain.billing.certificates.ordering import order_final_reads
from chamberlain.billing.certificates.terms import terms_row
from chamberlain.identity.actors import Actor, acting, program_actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.frames import next_ids
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import NewCharge, NewEntry, lock_balances, raise_charges
from chamberlain.ledger.queries import charges_by_id
from chamberlain.registry.queries import AccountSummary, account_summary

LONGEST_AHEAD_DAYS = 366


class Incomplete(Refused):
    """An application lacks something; `missing` has (field, what to do) for each."""

    status = 422

    def __init__(self, missing: tuple[tuple[str, str], ...]) -> None:
        said = "; ".join(sentence[:1].lower() + sentence[1:].rstrip(".") for _, sentence in missing)
        super().__init__(f"The application is not complete: {said}.", field=missing[0][0])
        self.missing = missing


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What an applicant gives. parcel_number: checked against the account when from the public.

    exemption: a code of the terms' exemptions, "" when the transfer is taxed.
    """

    account_number: str
    role: str
    applicant: str
    phone: str
    seller: str
    buyer: str
    closing_on: date | None
    attorney_card: str = ""
    exemption: str = ""
    parcel_number: str = ""


@dataclass(frozen=True, slots=True)
class Identification:
    """What the person at the desk has seen with own eyes."""

    government_id: bool
    attorney_card: bool = False


def what_is_missing(asked: NewApplication, today: date) -> tuple[tuple[str, str], ...]:
    """Everything that an application lacks, at once: (field, sentence)."""
    needed = (
        (
            "account_number",
            asked.account_number,
            _("Give the account number, from a utility bill."),
        ),
        ("applicant", asked.applicant, _("Give the applicant's name.")),
        ("phone", asked.phone, _("Give a telephone number to be reached at.")),
        ("seller", asked.seller, _("Give the seller's name.")),
        ("buyer", asked.buyer, _("Give the buyer's name.")),
    )
    missing = [(field, sentence) for field, value, sentence in needed if not value.strip()]
    if asked.role not in Application.Role.values:
        missing.append(("role", _("Say whether the applicant is buyer, seller or attorney.")))
    if asked.role == Application.Role.ATTORNEY and not asked.attorney_card.strip():
        missing.append(
            ("attorney_card", _("Give the number of the attorney's bar or county card."))
        )
    if asked.closing_on is None:
        missing.append(("closing_on", _("Give the date of the closing.")))
    elif not 0 <= (asked.closing_on - today).days <= LONGEST_AHEAD_DAYS:
        missing.append(("closing_on", _("Give a closing date from today to a year ahead.")))
    return tuple(missing)


def submit_application(
    actor: Actor | None, asked: NewApplication, today: date, now: datetime, idempotency_key: str
) -> str:
    """Receives an application; returns its number. The same key returns the same number.

    actor: None for the public page, which must name the account's parcel too. Raises Incomplete
    with everything that is missing, NotFound (account, parcel), Invalid, Refused when the account
    was given up before the closing, AlreadyDone when it has an application under way.
    """
    if actor is not None:
        actor.require("certificate.apply")
    by = actor or program_actor()
    with acting(by), transaction.atomic():
        made = Application.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            return made.number
        missing = what_is_missing(asked, today)
        if missing:
            raise Incomplete(missing)
        account = _account(asked, is_from_public=actor is None)
        assert asked.closing_on is not None
        check_held(account.account_id, asked.closing_on)
        terms = terms_row(today)
        _check_exemption(asked.exemption, terms)
        lock_balances([account.account_id])
        made = Application.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            return made.number
        _check_none_under_way(account.account_id)
        return _write(by, asked, account.account_id, terms, now, idempotency_key,
                      is_from_public=actor is None).number  # fmt: skip


def _account(asked: NewApplication, *, is_from_public: bool) -> AccountSummary:
    if not is_from_public:
        return account_summary(asked.account_number)
    wrong = NotFound(
        _(
            "The account number and the parcel number do not belong together; copy the first "
            "from a utility bill and the second from the deed or the tax bill."
        ),
        field="account_number",
    )
    try:
        account = account_summary(asked.account_number)
    except NotFound:
        raise wrong from None
    if not account.parcel_number or _digits(account.parcel_number) != _digits(asked.parcel_number):
        raise wrong
    return account


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isalnum()).upper()


def _check_exemption(exemption: str, terms: CertificateTerms) -> None:
    if exemption and exemption not in terms.exemptions:
        raise Invalid(
            "The city knows no such exemption from the transfer tax; choose one of the list.",
            field="exemption",
        )


def _check_none_under_way(account_id: int) -> None:
    other = Application.objects.filter(
        account_id=account_id, stage__in=["received", "accepted", "payable"]
    ).first()
    if other:
        raise AlreadyDone(
            _("An application for this account is under way; ask the revenue office about it."),
            field="account_number",
        )


def _write(
    by: Actor, asked: NewApplication, account_id: int, terms: CertificateTerms, now: datetime,
    idempotency_key: str, *, is_from_public: bool,
) -> Application:  # fmt: skip
    assert asked.closing_on is not None
    number = _next_number()
    return Application.objects.create(
        number=number,
        account_id=account_id,
        terms=terms,
        is_from_public=is_from_public,
        role=asked.role,
        applicant=asked.applicant.strip()[:120],
        phone=asked.phone.strip()[:32],
        seller=asked.seller.strip()[:120],
        buyer=asked.buyer.strip()[:120],
        attorney_card=asked.attorney_card.strip()[:40],
        closing_on=asked.closing_on,
        exemption=asked.exemption,
        received_at=now,
        received_by_id=by.user_id,
        idempotency_key=idempotency_key,
    )


def _next_number() -> str:
    [number] = next_ids(connection.connection, "certificates_application", 1)
    return f"FPA-{number:06d}"


def accept_application(
    actor: Actor, number: str, seen: Identification, business_day_id: int, now: datetime
) -> int | None:
    """Accepts an application with the applicant's identification; returns the fee's charge.

    The fee becomes a charge payable at any counter, unless the transfer is exempt (then None).
    A final read is ordered for each metered service. Raises Invalid for what was not shown,
    Refused when the account was given up before the closing, AlreadyDone, NotFound, DayClosed.
    """
    actor.require("certificate.apply")
    with acting(actor), transaction.atomic():
        found = locked(number)
        if found.stage != Application.Stage.RECEIVED:
            raise AlreadyDone(f"Application {number} is past this step; look at it again.")
        _check_identification(found, seen)
        check_held(found.account_id, found.closing_on)
        day = open_day_of(business_day_id)
        if not found.exemption:
            found.fee_charge_id = _raise_fee(actor, found, day, now)
        found.stage = Application.Stage.ACCEPTED
        found.accepted_at, found.accepted_by_id = now, actor.user_id
        found.save()
        order_final_reads(found, day.day)
        return found.fee_charge_id


def _check_identification(found: Application, seen: Identification) -> None:
    if not seen.government_id:
        raise Invalid(
            "An application is accepted only with a government identity document; ask for it.",
            field="government_id",
        )
    if found.role == Application.Role.ATTORNEY and not seen.attorney_card:
        raise Invalid(
            "An attorney shows a bar card or county attorney card too; ask for it.",
            field="attorney_card",
        )


def _raise_fee(actor: Actor, found: Application, day: BusinessDay, now: datetime) -> int:
    kind = found.terms.fee_kind
    charge = NewCharge(
        found.account_id, kind.pk, kind.receivable_id, kind.revenue_id, found.terms.fee_cents,
        day.day, day.day, found.number,
    )  # fmt: skip
    entry = NewEntry(
        day.pk, "certificate_fee", actor.user_id, now, found.number, [],
        idempotency_key=f"certificate fee {found.number}",
    )  # fmt: skip
    _, [charge_id] = raise_charges(entry, [charge])
    return charge_id


def move_closing(actor: Actor, number: str, closing_on: date, today: date) -> None:
    """Moves the closing date, also of an issued application whose certificate is to be renewed.

    A payoff that was set stays owed; a new one adds the days until the new date. New final reads
    are ordered. Raises Invalid for a date that cannot be, AlreadyDone for a withdrawn application
    and once the deed came in.
    """
    actor.require("certificate.work")
    with acting(actor), transaction.atomic():
        found = locked(number)
        if found.stage == Application.Stage.WITHDRAWN:
            raise AlreadyDone(f"Application {number} was withdrawn; take a new one.")
        check_no_deed(found)
        if not 0 <= (closing_on - today).days <= LONGEST_AHEAD_DAYS:
            raise Invalid("Give a closing date from today to a year ahead.", field="closing_on")
        if found.payoff_at and closing_on <= found.closing_on:
            raise Invalid(
                f"The payoff runs to {found.closing_on:%B %-d, %Y}, so the certificate holds for "
                "an earlier closing too; give a later date.",
                field="closing_on",
            )
        if found.stage == Application.Stage.ISSUED:
            _check_none_under_way(found.account_id)
        found.closing_on = closing_on
        if found.stage != Application.Stage.RECEIVED:
            found.stage = Application.Stage.ACCEPTED
            found.payoff_at = found.payoff_by = found.reviewed_at = found.reviewed_by = None
            order_final_reads(found, today)
        found.save()


def withdraw_application(
    actor: Actor, number: str, reason: str, business_day_id: int, now: datetime
) -> None:
    """Ends an application without a certificate. A fee that is not paid is taken back; what the
    payoff raised was used and stays owed. Raises Invalid without a reason, AlreadyDone.
    """
    actor.require("certificate.work")
    if not reason.strip():
        raise Invalid("Say why the application is withdrawn.", field="reason")
    with acting(actor), transaction.atomic():
        found = locked(number)
        if found.stage in (Application.Stage.ISSUED, Application.Stage.WITHDRAWN):
            raise AlreadyDone(f"Application {number} is {found.get_stage_display().lower()}.")
        day = open_day_of(business_day_id)
        _take_back_fee(actor, found, day, now, reason.strip()[:200])
        found.stage = Application.Stage.WITHDRAWN
        found.withdrawn_because = reason.strip()[:200]
        found.save()


def _take_back_fee(
    actor: Actor, found: Application, day: BusinessDay, now: datetime, reason: str
) -> None:
    if found.fee_charge is None:
        return
    lock_balances([found.account_id])
    left = charges_by_id([found.fee_charge_id or 0])
    if left and left[0].open_cents == left[0].cents:
        ledger.reverse_entry(
            actor, found.fee_charge.entry_id, day.pk, now, kind="withdraw_fee", reason=reason
        )


def locked(number: str) -> Application:
    """An application until the end of the transaction. Raises NotFound."""
    found = (
        Application.objects.select_for_update(of=("self",))
        .select_related("terms__fee_kind", "fee_charge")
        .filter(number=number)
        .first()
    )
    if found is None:
        raise NotFound(f"There is no application {number[:16]}; look at the list.")
    lock_balances([found.account_id])
    return found


def open_day_of(business_day_id: int) -> BusinessDay:
    """The revenue office's business day to post on. Raises NotFound, DayClosed."""
    return day_to_post_on(business_day_id, if_none="open the revenue office's day first")
