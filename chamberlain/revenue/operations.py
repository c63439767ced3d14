"""Citations, stickers, licenses and fees: each raises its charge on an account."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.kernel.money import LARGEST_CENTS
from chamberlain.ledger import chart
from chamberlain.ledger.models import Account, BusinessDay, Entry
from chamberlain.ledger.posting import DayClosed, NewCharge, NewEntry, raise_charges
from chamberlain.revenue.models import Fee, FeePrice, Obligation, ObligationCharge
from chamberlain.revenue.pricing import LONGEST_TERM_MONTHS, Price, price_on, prorated

PERMISSION = "revenue.charge"


@dataclass(frozen=True, slots=True)
class Posting:
    """On which open business day something is posted, when, and the key of the request."""

    business_day_id: int
    now: datetime
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """A fee as the city's file has it; prices: (from, cents, source, verified)."""

    code: str
    kind: str
    name: str
    charge_kind: str
    prices: tuple[tuple[date, int, str, bool], ...]
    term_months: int | None = None
    due_days: int = 0


def load_fee(actor: Actor, terms: FeeTerms) -> None:
    """Brings a fee and its prices to what the city's file says. Harmless when they are so.

    A price that was in force is never removed: a bill of that day must stay explained. Raises
    NotFound for an unknown charge kind.
    """
    actor.require("city.load")
    kinds = chart.charge_kinds()
    if terms.charge_kind not in kinds:
        raise NotFound(f"Fee {terms.code} names the charge kind {terms.charge_kind}; add it.")
    with acting(actor), transaction.atomic():
        fee, _ = Fee.objects.update_or_create(
            code=terms.code,
            defaults={
                "kind": terms.kind,
                "name": terms.name,
                "charge_kind_id": kinds[terms.charge_kind].id,
                "term_months": terms.term_months,
                "due_days": terms.due_days,
            },
        )
        for starts_on, cents, source, is_verified in terms.prices:
            FeePrice.objects.update_or_create(
                fee=fee,
                starts_on=starts_on,
                defaults={"cents": cents, "source": source, "is_verified": is_verified},
            )


def issue_citation(
    actor: Actor, account_id: int, number: str, violation: str, plate: str, on: date,
    posting: Posting,
) -> int:  # fmt: skip
    """Enters a citation on the account of the vehicle's owner; returns the obligation's id.

    violation: the fee's code. Raises NotFound, AlreadyDone when the number was entered, Invalid,
    NoPrice, DayClosed.
    """
    fee = _fee(violation, Obligation.Kind.CITATION)
    return _charge(actor, account_id, number, fee, plate, on, _once(fee, on), posting)


def sell_sticker(
    actor: Actor, account_id: int, number: str, vehicle_class: str, plate: str, months: int,
    posting: Posting,
) -> int:  # fmt: skip
    """Sells a vehicle sticker for a term of months, at the price of the day, prorated by month.

    number: the serial number printed on the sticker. Raises Invalid for a term out of 1 to 36.
    """
    fee = _fee(vehicle_class, Obligation.Kind.STICKER)
    on = _day(posting)
    return _charge(actor, account_id, number, fee, plate, on, _for_term(fee, on, months), posting)


def issue_license(
    actor: Actor, account_id: int, number: str, license: str, holder: str, months: int,
    posting: Posting,
) -> int:  # fmt: skip
    """Issues a business or animal license for a term of months; returns the obligation's id."""
    fee = _fee(license, Obligation.Kind.BUSINESS_LICENSE, Obligation.Kind.ANIMAL_LICENSE)
    on = _day(posting)
    return _charge(actor, account_id, number, fee, holder, on, _for_term(fee, on, months), posting)


def charge_fee(
    actor: Actor, account_id: int, number: str, fee_code: str, subject: str, posting: Posting,
    *, times: int = 1,
) -> int:  # fmt: skip
    """Charges a fee that is paid once, or so many times (days of a hydrant, certificates)."""
    if not 1 <= times <= 1000:
        raise Invalid("A fee is charged 1 to 1000 times; correct the number.", field="times")
    fee = _fee(fee_code, Obligation.Kind.FEE)
    on = _day(posting)
    return _charge(actor, account_id, number, fee, subject, on, times * _once(fee, on), posting)


def sell(
    actor: Actor, account_id: int, number: str, fee_code: str, subject: str, posting: Posting,
    *, months: int = 12, times: int = 1,
) -> int:  # fmt: skip
    """Charges any fee but a citation: a sticker or license for a term of months, another fee so
    many times. Returns the obligation's id. Raises as the operation of the fee's kind.
    """
    kind = Fee.objects.filter(code=fee_code).values_list("kind", flat=True).first()
    if kind == Obligation.Kind.STICKER:
        return sell_sticker(actor, account_id, number, fee_code, subject, months, posting)
    if kind in (Obligation.Kind.BUSINESS_LICENSE, Obligation.Kind.ANIMAL_LICENSE):
        return issue_license(actor, account_id, number, fee_code, subject, months, posting)
    return charge_fee(actor, account_id, number, fee_code, subject, posting, times=times)


def next_number() -> str:
    """A number for a paper that bears none of its own, as `R-000123`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('revenue_number')")
        return f"R-{cursor.fetchone()[0]:06d}"


def number_of(obligation_id: int) -> str:
    """The number of an obligation."""
    return str(Obligation.objects.values_list("number", flat=True).get(pk=obligation_id))


def is_entered(number: str) -> bool:
    """Whether there is an obligation of that number."""
    return Obligation.objects.filter(number=number).exists()


def take_back(actor: Actor, obligation_id: int) -> None:
    """Gives up an obligation whose charge the caller has reversed: its number is free again."""
    with acting(actor):
        taken = Obligation.objects.select_for_update().get(pk=obligation_id)
        taken.number, taken.is_taken_back = f"{taken.number[:12]}/{taken.pk}", True
        taken.save(update_fields=["number", "is_taken_back"])


def _charge(
    actor: Actor, account_id: int, number: str, fee: Fee, subject: str, on: date, cents: int,
    posting: Posting,
) -> int:  # fmt: skip
    with acting(actor), transaction.atomic():
        day = _open_day(actor, posting)
        before = made_before(actor, posting.idempotency_key)
        if before is not None:
            return before
        number, subject = number.strip().upper(), subject.strip()
        _check(account_id, number, subject, on, day.day, cents)
        kind = chart.charge_kinds()[fee.charge_kind.code]
        made = Obligation.objects.create(
            number=number, kind=fee.kind, account_id=account_id, subject=subject,
            description=fee.name, arose_on=on,
        )  # fmt: skip
        charge = NewCharge(
            account_id, kind.id, kind.receivable_id, kind.revenue_id, cents, day.day,
            max(day.day, on + timedelta(days=fee.due_days)), number,
        )  # fmt: skip
        entry = NewEntry(
            day.pk, fee.kind, actor.user_id, posting.now, number, [],
            idempotency_key=posting.idempotency_key,
        )  # fmt: skip
        _, [charge_id] = raise_charges(entry, [charge])
        ObligationCharge.objects.create(charge_id=charge_id, obligation=made)
        return made.pk


def _open_day(actor: Actor, posting: Posting) -> BusinessDay:
    day = BusinessDay.objects.select_for_update().filter(pk=posting.business_day_id).first()
    if day is None:
        raise NotFound("There is no such business day; open one first.")
    actor.require(PERMISSION, day.center_id)
    if day.closed_at:
        raise DayClosed(f"{day.day:%B %-d, %Y} is closed; post on an open business day.")
    return day


def made_before(actor: Actor, key: str | None) -> int | None:
    """The obligation that the request with this key made, and no other request with it until the
    transaction ends. Raises AlreadyDone when the key was used for something else or by another."""
    if key is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    entry = Entry.objects.filter(idempotency_key=key).first()
    if entry is None:
        return None
    actor.require_own(entry.actor_id)
    made = ObligationCharge.objects.filter(charge__entry=entry).first()
    if made is None:
        raise AlreadyDone("This request's key was used for something else; send a fresh one.")
    return made.obligation_id


def _check(account_id: int, number: str, subject: str, on: date, today: date, cents: int) -> None:
    if not Account.objects.filter(pk=account_id).exists():
        raise NotFound("There is no such account; open one for the customer first.")
    if not 1 <= len(number) <= 24:
        raise Invalid("The number has 1 to 24 characters; correct it.", field="number")
    if not 1 <= len(subject) <= 120:
        raise Invalid("Say what it is about, in at most 120 characters.", field="subject")
    if on > today:
        raise Invalid(f"{on:%B %-d, %Y} is after the open business day; correct it.", field="on")
    if cents > LARGEST_CENTS:
        raise Invalid("The amount is larger than the program keeps; check it.", field="times")
    if Obligation.objects.filter(number=number).exists():
        raise AlreadyDone(f"{number} was entered before; look it up.", field="number")


def _day(posting: Posting) -> date:
    found = BusinessDay.objects.filter(pk=posting.business_day_id).first()
    if found is None:
        raise NotFound("There is no such business day; open one first.")
    return found.day


def _fee(code: str, *kinds: str) -> Fee:
    found = Fee.objects.select_related("charge_kind").filter(code=code, kind__in=kinds).first()
    if found is None:
        raise NotFound(f"The city has no {kinds[0].replace('_', ' ')} “{code[:48]}”; look it up.")
    return found


def _once(fee: Fee, on: date) -> int:
    return price_on(_prices(fee), on, fee.name).cents


def _for_term(fee: Fee, on: date, months: int) -> int:
    if not 1 <= months <= LONGEST_TERM_MONTHS:
        raise Invalid(f"A term is 1 to {LONGEST_TERM_MONTHS} months; correct it.", field="months")
    return prorated(_once(fee, on), months, fee.term_months or 12)


def _prices(fee: Fee) -> list[Price]:
    return [Price(*row) for row in fee.prices.values_list("starts_on", "cents")]
