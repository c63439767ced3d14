"""What was wrong, as the clerk said it, and how it is set right in agreements and reads.

Nothing is overwritten. A changed agreement ends where the correction begins, and rows with the
right values follow it; one that was wrong from its first day on is left with no days, so that
the bills made of it still show what it said. A corrected read is a new read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import QuerySet

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.rebilling.models import CorrectedRead, Rebill
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.metering.models import Read
from chamberlain.tariffs.models import Tariff

LARGEST_USAGE = 10**12


@dataclass(frozen=True, slots=True)
class Corrections:
    """What was wrong. None and empty mean that it was right.

    reads: usage in thousandths by read id. is_spread: the usage of all reads within the period
    is spread over its days. started_on: the day from which the account answers for the service.
    takes_back: numbers of bills of which nothing was due. bills_again: numbers of bills that were
    taken back though something was.
    """

    reads: Mapping[int, int] = field(default_factory=dict)
    is_spread: bool = False
    rate_class: str | None = None
    dwelling_units: int | None = None
    exemptions: tuple[str, ...] | None = None
    meter_size: str | None = None
    tariff_code: str | None = None
    started_on: date | None = None
    takes_back: tuple[str, ...] = ()
    bills_again: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For a JSON column; `of_json` reads it again."""
        return {
            "reads": {str(read_id): usage for read_id, usage in self.reads.items()},
            "is_spread": self.is_spread,
            "rate_class": self.rate_class,
            "dwelling_units": self.dwelling_units,
            "exemptions": None if self.exemptions is None else list(self.exemptions),
            "meter_size": self.meter_size,
            "tariff_code": self.tariff_code,
            "started_on": self.started_on and self.started_on.isoformat(),
            "takes_back": list(self.takes_back),
            "bills_again": list(self.bills_again),
        }

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> "Corrections":
        """What `as_json` wrote."""
        exemptions, started_on = found["exemptions"], found["started_on"]
        return cls(
            reads={int(read_id): int(usage) for read_id, usage in found["reads"].items()},
            is_spread=found["is_spread"],
            rate_class=found["rate_class"],
            dwelling_units=found["dwelling_units"],
            exemptions=None if exemptions is None else tuple(exemptions),
            meter_size=found["meter_size"],
            tariff_code=found["tariff_code"],
            started_on=date.fromisoformat(started_on) if started_on else None,
            takes_back=tuple(found.get("takes_back", ())),
            bills_again=tuple(found.get("bills_again", ())),
        )

    def agreement_values(self) -> dict[str, Any]:
        """The fields of an agreement that were wrong, with their right values."""
        values = {
            "rate_class": self.rate_class,
            "dwelling_units": self.dwelling_units,
            "exemptions": None if self.exemptions is None else sorted(set(self.exemptions)),
            "meter_size": self.meter_size,
            "tariff_id": None if self.tariff_code is None else _tariff_id(self.tariff_code),
        }
        return {name: value for name, value in values.items() if value is not None}


def check(corrections: Corrections) -> None:
    """Refuses values that no account can have. Raises Invalid, NotFound (tariff)."""
    units = corrections.dwelling_units
    if units is not None and not 0 < units < 10_000:
        raise Invalid(
            "An account has between 1 and 9,999 dwelling units; correct the number.",
            field="dwelling_units",
        )
    for usage in corrections.reads.values():
        if not 0 <= usage < LARGEST_USAGE:
            raise Invalid(
                "A corrected usage is not below zero, nor more than any meter counts; correct it.",
                field="reads",
            )
    if corrections.is_spread and corrections.reads:
        raise Invalid(
            "Either give the usage of the reads or have it spread over the days, not both.",
            field="is_spread",
        )
    corrections.agreement_values()


_BILLS = """
    SELECT b.number, b.entry_id IS NULL,
        EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id),
        (SELECT n.number FROM billing_bill n WHERE n.replaces_id = b.id),
        (SELECT min(n.number) FROM billing_bill n
            JOIN billing_serviceagreement o ON o.id = n.agreement_id
            WHERE o.service_point_id = g.service_point_id AND o.tariff_id = g.tariff_id
                AND n.id <> b.id AND n.from_on < b.to_on AND n.to_on > b.from_on
                AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = n.entry_id)
                AND NOT EXISTS (SELECT 1 FROM billing_bill m WHERE m.replaces_id = n.id))
    FROM billing_bill b
    JOIN billing_serviceagreement g ON g.id = b.agreement_id
    WHERE b.account_id = %s AND b.number = ANY(%s)
"""


def check_bills(account_id: int, corrections: Corrections) -> None:
    """Refuses to take back a bill that does not stand, or to bill again what is billed.

    Raises NotFound (a bill of another account), AlreadyDone, Refused (a bill for nothing).
    """
    asked = [*corrections.takes_back, *corrections.bills_again]
    if not asked:
        return
    found = {number: state for number, *state in rows(_BILLS, [account_id, asked])}
    for number in asked:
        if number not in found:
            raise NotFound(f"There is no bill {number[:24]} of this account; check the number.")
        is_for_nothing, is_reversed, replaced_by, billed_by = found[number]
        if is_for_nothing:
            raise Refused(f"Bill {number} is for nothing, so there is nothing to take back.")
        if replaced_by:
            raise AlreadyDone(f"Bill {number} was replaced by {replaced_by}; look at that one.")
        if number in corrections.takes_back and is_reversed:
            raise AlreadyDone(f"Bill {number} was taken back before.")
        if number in corrections.bills_again and not is_reversed:
            raise AlreadyDone(f"Bill {number} stands; there is nothing to bill again.")
        if number in corrections.bills_again and billed_by:
            raise AlreadyDone(f"Bill {billed_by} charges these days already; look at that one.")


def apply(actor: Actor, rebill: Rebill, corrections: Corrections) -> bool:
    """Sets agreements and reads right, in the caller's transaction, which holds the account.
    Returns whether anything was not right already.

    Raises Refused when the owner's date would leave another account no day, Invalid when a read
    does not belong to the account and period.
    """
    is_changed = False
    with acting(actor):
        if corrections.started_on is not None:
            is_changed |= _move_start(rebill, corrections.started_on)
        if values := corrections.agreement_values():
            is_changed |= _change_terms(rebill, values)
    usages = dict(corrections.reads)
    if corrections.is_spread:
        usages = _spread_usages(rebill)
    return _correct_reads(rebill, usages) or is_changed


def _tariff_id(code: str) -> int:
    found = Tariff.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"There is no tariff {code[:40]}; choose one of the list.", field="tariff")
    return int(found)


def _of_account(rebill: Rebill) -> list[ServiceAgreement]:
    """The account's agreements with days in the period, by their first day."""
    found = ServiceAgreement.objects.select_for_update().filter(
        account_id=rebill.account_id, period__overlap=DateRange(rebill.from_on, rebill.to_on)
    )
    return sorted(found, key=lambda each: each.period.lower or date.min)


def _change_terms(rebill: Rebill, values: Mapping[str, Any]) -> bool:
    wrong = [
        agreement
        for agreement in _of_account(rebill)
        if any(_is_other(agreement, name, value) for name, value in values.items())
    ]
    for agreement in wrong:
        _cut_out(agreement, rebill.from_on, rebill.to_on, values)
    return bool(wrong)


def _is_other(agreement: ServiceAgreement, name: str, value: Any) -> bool:
    present = getattr(agreement, name)
    return bool((sorted(present) if name == "exemptions" else present) != value)


def _cut_out(
    agreement: ServiceAgreement, from_on: date, to_on: date | None, values: Mapping[str, Any]
) -> None:
    """Leaves the agreement the days before, and makes rows for the corrected days and after."""
    whole = agreement.period
    start = from_on if whole.lower is None else max(from_on, whole.lower)
    end = whole.upper if to_on is None else min(to_on, whole.upper or to_on)
    keeps_days = whole.lower is None or whole.lower < start
    before = DateRange(whole.lower, start) if keeps_days else DateRange(empty=True)
    agreement.period = before
    agreement.save(update_fields=["period"])
    _copy(agreement, DateRange(start, end), values)
    if end is not None and end != whole.upper:
        _copy(agreement, DateRange(end, whole.upper), {})


def _copy(agreement: ServiceAgreement, period: DateRange, values: Mapping[str, Any]) -> None:
    fields = {
        field.attname: getattr(agreement, field.attname)
        for field in ServiceAgreement._meta.concrete_fields
        if not field.primary_key
    }
    ServiceAgreement.objects.create(**{**fields, "period": period, **values})


def _move_start(rebill: Rebill, started_on: date) -> bool:
    if started_on < rebill.from_on or (rebill.to_on and started_on >= rebill.to_on):
        raise Invalid(
            "The right first day lies outside of the days to be rebilled; choose days around it.",
            field="started_on",
        )
    found = _of_account(rebill)
    ends = {(each.service_point_id, each.tariff_id, each.period.upper) for each in found}
    firsts = [
        each
        for each in found
        if each.period.lower is not None
        and each.period.lower >= rebill.from_on
        and (each.service_point_id, each.tariff_id, each.period.lower) not in ends
    ]
    starts = {each.period.lower for each in firsts}
    if len(starts) != 1:
        raise Invalid(
            "The account does not start once within these days; choose days around its first day.",
            field="started_on",
        )
    [start] = starts
    if start == started_on:
        return False
    for first in firsts:
        _move_border(first, [each for each in found if _is_beside(each, first)], started_on)
    return True


def _is_beside(agreement: ServiceAgreement, other: ServiceAgreement) -> bool:
    return bool(
        agreement.service_point_id == other.service_point_id
        and agreement.tariff_id == other.tariff_id
    )


def _move_border(
    first: ServiceAgreement, parts: Sequence[ServiceAgreement], started_on: date
) -> None:
    """Gives the account the days from started_on on, and the neighbor before it those until."""
    start = first.period.lower
    neighbors = ServiceAgreement.objects.select_for_update().filter(
        service_point_id=first.service_point_id, tariff_id=first.tariff_id
    )
    before = neighbors.filter(period__endswith=start).first()
    _refuse_taking_all(first, neighbors.exclude(pk=before.pk) if before else neighbors, before,
                       started_on)  # fmt: skip
    moved = []
    for part in parts:
        if part is first and started_on < start:
            moved.append((part, DateRange(started_on, part.period.upper)))
        elif part.period.upper is not None and part.period.upper <= started_on:
            moved.append((part, DateRange(empty=True)))
        elif part.period.lower < started_on:
            moved.append((part, DateRange(started_on, part.period.upper)))
    if before is not None:
        moved.append((before, DateRange(before.period.lower, started_on)))
    for each, period in sorted(moved, key=lambda pair: _grows(*pair)):
        each.period = period
        each.save(update_fields=["period"])


def _refuse_taking_all(
    first: ServiceAgreement,
    others: QuerySet[ServiceAgreement],
    before: ServiceAgreement | None,
    started_on: date,
) -> None:
    start = first.period.lower
    reached = others.filter(period__overlap=DateRange(min(started_on, start), start))
    lowest = before.period.lower if before is not None else None
    if reached.exists() or (lowest is not None and lowest >= started_on):
        raise Refused(
            "Another account would have no day left at this service; rebill its days first.",
            field="started_on",
        )
    own = others.filter(account_id=first.account_id)
    if not own.filter(period__contains=started_on).exists() and started_on > start:
        raise Invalid(
            "The account would start after it ends; give an earlier first day.",
            field="started_on",
        )


def _grows(agreement: ServiceAgreement, period: DateRange) -> bool:
    was = agreement.period
    return not period.isempty and bool(
        (period.lower or date.min) < (was.lower or date.min)
        or (period.upper or date.max) > (was.upper or date.max)
    )


_READS = """
    SELECT r.id, r.from_on, r.to_on, r.usage_thousandths FROM metering_read r
    WHERE r.service_point_id IN (SELECT service_point_id FROM billing_serviceagreement
            WHERE account_id = %(account)s)
        AND r.from_on >= %(from_on)s AND r.to_on <= coalesce(%(to_on)s::date, 'infinity')
        AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
        AND EXISTS (SELECT 1 FROM billing_serviceagreement g WHERE g.account_id = %(account)s
            AND g.service_point_id = r.service_point_id AND g.is_metered
            AND g.period && daterange(r.from_on, r.to_on))
    ORDER BY r.service_point_id, r.meter_id, r.from_on, r.id
"""


def spread(reads: Sequence[tuple[int, date, date, int]]) -> dict[int, int]:
    """The usage of reads spread over their days: usage in thousandths by read id.

    reads: (id, from_on, to_on, usage in thousandths). The sum stays what it was: the share of a
    read is the difference of two rounded running sums.
    """
    total = sum(usage for *_, usage in reads)
    days = sum((to_on - from_on).days for _, from_on, to_on, _ in reads)
    shares: dict[int, int] = {}
    passed = shared = 0
    for read_id, from_on, to_on, _ in reads:
        passed += (to_on - from_on).days
        up_to = (2 * total * passed + days) // (2 * days)
        shares[read_id] = up_to - shared
        shared = up_to
    return shares


def _spread_usages(rebill: Rebill) -> dict[int, int]:
    found = rows(
        f"SELECT x.*, r.service_point_id, r.meter_id FROM ({_READS}) x "
        "JOIN metering_read r ON r.id = x.id ORDER BY 5, 6, 2, 1",
        _params(rebill),
    )
    if not found:
        raise Invalid(
            "No read lies within these days, so there is no usage to spread; choose other days.",
            field="is_spread",
        )
    by_meter: dict[tuple[int, int | None], list[tuple[int, date, date, int]]] = {}
    for read_id, from_on, to_on, usage, point, meter in found:
        by_meter.setdefault((point, meter), []).append((read_id, from_on, to_on, int(usage)))
    return {
        read_id: usage for reads in by_meter.values() for read_id, usage in spread(reads).items()
    }


def _params(rebill: Rebill) -> dict[str, Any]:
    return {"account": rebill.account_id, "from_on": rebill.from_on, "to_on": rebill.to_on}


def _correct_reads(rebill: Rebill, usages: Mapping[int, int]) -> bool:
    if not usages:
        return False
    known = Read.objects.in_bulk(list(usages))
    of_account = {
        int(row[0]) for row in rows(_READS, {**_params(rebill), "from_on": date.min, "to_on": None})
    }
    if not usages.keys() <= of_account:
        raise Invalid(
            "A read was corrected in the meantime or is not of this account; look again.",
            field="reads",
        )
    # A read may reach over the ends of the period; it is corrected whole, with its bill.
    for read in known.values():
        if read.to_on <= rebill.from_on or (rebill.to_on and read.from_on >= rebill.to_on):
            raise Invalid(
                f"The read of {read.to_on:%B %-d, %Y} lies outside of the days to be rebilled, so "
                "its bill would stand; choose days around it.",
                field="reads",
            )
    wrong = [
        (known[read_id], usage)
        for read_id, usage in sorted(usages.items())
        if known[read_id].usage_thousandths != usage
    ]
    for read, usage in wrong:
        _correct_read(rebill, read, usage)
    return bool(wrong)


def _correct_read(rebill: Rebill, read: Read, usage_thousandths: int) -> None:
    before = CorrectedRead.objects.filter(new=read).first()
    root_id = before.root_id if before else read.pk
    corrected = Read.objects.create(
        service_point_id=read.service_point_id,
        meter_id=read.meter_id,
        from_on=read.from_on,
        to_on=read.to_on,
        register=None,
        usage_thousandths=usage_thousandths,
        unit=read.unit,
        quality=read.quality,
        is_verified=True,
        source=f"rebill {rebill.pk}, read {read.pk}",
    )
    CorrectedRead.objects.create(root_id=root_id, old=read, new=corrected, rebill=rebill)
