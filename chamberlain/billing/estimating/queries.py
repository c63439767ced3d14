"""Unread services with what they would be estimated at, and how estimates came about."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

import polars as pl
from django.utils.translation import gettext as _

from chamberlain.billing.comparing.words import day_said
from chamberlain.billing.estimating.due import due
from chamberlain.billing.estimating.finding import Wanted, reckoned
from chamberlain.billing.explanation import quantity_in_words
from chamberlain.billing.rebilling.limits import earliest
from chamberlain.billing.rebilling.operations import limits_on
from chamberlain.database.rows import rows
from chamberlain.kernel.periods import day_in_words


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """An unread service and its estimate: how it came about, or why there is none."""

    account_number: str
    service_point: str
    serial: str | None
    from_on: date
    to_on: date
    in_row: int
    how: str | None
    basis_thousandths: int | None
    basis_days: int | None
    basis_services: int | None
    usage_thousandths: int | None
    unit: str | None
    register: int | None
    refusal: str | None

    @property
    def words(self) -> str:
        """How the estimate came about, in words; "" when there is none."""
        if self.how is None or self.unit is None:
            return ""
        return in_words(
            self.how,
            self.basis_thousandths or 0,
            self.basis_days or 0,
            self.basis_services or 0,
            self.unit,
        )


@dataclass(frozen=True, slots=True)
class Unread:
    """What is unread, a part of it as rows, and how many there are of each kind."""

    rows: tuple[UnreadRow, ...]
    last_year: int
    class_average: int
    refused: int

    @property
    def count(self) -> int:
        """All that is unread."""
        return self.last_year + self.class_average + self.refused

    @property
    def estimates(self) -> int:
        """How many would be estimated."""
        return self.last_year + self.class_average


def unread(wanted: Wanted, limit: int = 50, offset: int = 0) -> Unread:
    """Unread services with their estimates, those that cannot be estimated first.

    Raises what `finding.reckoned` raises.
    """
    found = reckoned(wanted).with_columns(is_refused=pl.col("refusal").is_not_null())
    shown = found.sort("is_refused", descending=True, maintain_order=True).slice(offset, limit)
    names = [field.name for field in fields(UnreadRow)]
    counts = dict(found.group_by("how").len().iter_rows())
    return Unread(
        tuple(UnreadRow(*row) for row in shown.select(names).iter_rows()),
        counts.get("last_year", 0),
        counts.get("class_average", 0),
        counts.get(None, 0),
    )


def in_words(how: str, thousandths: int, days: int, services: int, unit: str) -> str:
    """`Estimated from the same days of last year: 2 thousand gallons in 59 days.`"""
    named = {
        "used": quantity_in_words(thousandths, unit),
        "days": f"{days:,}",
        "services": f"{services or 0:,}",
    }
    if how == "last_year":
        return _("Estimated from the same days of last year: %(used)s in %(days)s days.") % named
    return (
        _(
            "Estimated from the average of %(services)s services of this class: %(used)s in "
            "%(days)s days."
        )
        % named
    )


_HOW_SQL = """
    SELECT b.id, e.how, e.basis_thousandths, e.basis_days, e.basis_services, r.unit, a.to_on
    FROM billing_bill b
    JOIN metering_read r ON r.id = b.read_id AND r.quality = 'estimate'
    LEFT JOIN rebilling_correctedread k ON k.new_id = r.id
    LEFT JOIN estimating_estimate e ON e.read_id = coalesce(k.root_id, r.id)
    LEFT JOIN estimating_trueup t ON t.rebill_id = k.rebill_id
    LEFT JOIN metering_read a ON a.id = t.read_id
    WHERE b.id = ANY(%s)
"""


def how_estimated(bill_ids: Sequence[int]) -> dict[int, str]:
    """How the usage of estimated bills came about, in a sentence or two, by bill id.

    Bills that rest on a read are left out.
    """
    found = {}
    for bill_id, how, thousandths, days, services, unit, read_on in rows(
        _HOW_SQL, [list(bill_ids)]
    ):
        said = _("The read is estimated.")
        if how:
            said = in_words(how, thousandths, days, services, unit)
        if read_on is not None:
            said += " " + _("Set right by the read of %(day)s.") % {"day": day_said(read_on)}
        found[int(bill_id)] = said
    return found


@dataclass(frozen=True, slots=True)
class DueRow:
    """Estimates that an actual read has ended; refusal: why no true-up can be made, or None.

    counted_thousandths: what the estimates and that read come to; total_thousandths: what the
    registers differ by, None when they cannot.
    """

    run_id: int
    account_number: str | None
    service_point: str
    serial: str
    first_on: date
    read_on: date
    estimates: int
    counted_thousandths: int
    total_thousandths: int | None
    unit: str
    refusal: str | None


@dataclass(frozen=True, slots=True)
class DueRows:
    """A part of what is due, how many there are, and how many of them can be trued up."""

    rows: tuple[DueRow, ...]
    count: int
    able: int
    able_ids: tuple[int, ...]


def true_ups_due(
    today: date, points: Sequence[int] | None = None, limit: int = 50, offset: int = 0
) -> DueRows:
    """True-ups that are due, the latest read first; those that cannot be made come last.

    Raises NotFound when some are due and the city has no limits of rebilling.
    """
    found = _within_reach(due(points).runs, today)
    found = found.with_columns(is_refused=pl.col("refusal").is_not_null())
    found = found.sort(["is_refused", "read_on", "run_id"], descending=[False, True, False])
    names = [field.name for field in fields(DueRow)]
    able = found.filter(~pl.col("is_refused"))["run_id"].to_list()
    shown = found.slice(offset, limit).select(names)
    return DueRows(
        tuple(DueRow(*row) for row in shown.iter_rows()), found.height, len(able), tuple(able)
    )


def _within_reach(runs: pl.DataFrame, today: date) -> pl.DataFrame:
    """`runs` with a refusal where all of their bills ended before the city's furthest limit."""
    if runs.is_empty():
        return runs
    reach = earliest(limits_on(today), today, -1)
    said = f"Ended before {day_in_words(reach)}, further back than bills are set right."
    return runs.with_columns(
        refusal=pl.coalesce("refusal", pl.when(pl.col("read_on") < reach).then(pl.lit(said)))
    )


def points_of_cycle(cycle_months: int) -> tuple[int, ...]:
    """Service points of metered agreements that are billed every so many months."""
    query = """SELECT DISTINCT service_point_id FROM billing_serviceagreement
        WHERE is_metered AND cycle_months = %s AND NOT isempty(period) ORDER BY 1"""
    return tuple(row[0] for row in rows(query, [cycle_months]))


def points_of_route(route_code: str) -> tuple[int, ...]:
    """Service points of a route, in their order."""
    query = """SELECT s.service_point_id FROM routes_stop s
        JOIN routes_route r ON r.id = s.route_id WHERE r.code = %s ORDER BY s.sequence"""
    return tuple(row[0] for row in rows(query, [route_code]))


def tariffs_of_route(route_code: str) -> list[tuple[str, str]]:
    """Tariffs that bill metered services of a route: code and name, the most used first."""
    query = """
        SELECT t.code, t.name FROM routes_stop s
        JOIN routes_route r ON r.id = s.route_id
        JOIN billing_serviceagreement a ON a.service_point_id = s.service_point_id
        JOIN tariffs_tariff t ON t.id = a.tariff_id
        WHERE r.code = %s AND a.is_metered AND NOT isempty(a.period)
        GROUP BY t.code, t.name ORDER BY count(*) DESC, t.code
    """
    return [(row[0], row[1]) for row in rows(query, [route_code])]


def reads_asked_by(run_id: int) -> tuple[date, date, int | None] | None:
    """After which day, up to which and of which cycle a bill run wants reads; None if it does not
    ask for any.
    """
    query = """SELECT reads_after, reads_up_to, cycle_months FROM billing_billrun
        WHERE id = %s AND is_metered AND reads_after IS NOT NULL"""
    found = rows(query, [run_id])
    return found[0] if found else None
