"""Which bills would be made today for days that were billed, and which were.

A **span** is what a bill run took up at once: a read, or a season of accounts without meters.
For every span that was billed, the agreements of its service point are rated as they stand now,
with the tariffs as they stand now, by the rating of the bill run. What was billed and has not
been taken back is paired with what comes out, and what is the same on both sides is left out.

One account is a scope, and so is a range of the city's service points.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import psycopg

from chamberlain.billing.candidates import shared_by_days
from chamberlain.kernel.frames import read_frame
from chamberlain.tariffs import queries as tariffs
from chamberlain.tariffs.rating import Rated, rate
from chamberlain.tariffs.shapes import LINES, REFUSALS

_FAR = date(9999, 12, 31)
SPAN = ["service_point_id", "root_id", "span_from", "span_to"]
_PRINTED = ["component_id", "cents", "quantity_thousandths", "unit", "rate_micros", "days"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The days to be looked at (to_on: the first day after, None without end), and where: at the
    service points of an account, at those in a range of ids that a tariff bills, or at some.

    takes_back: numbers of bills that were not due; only they are looked at, and nothing is billed
    in their place. bills_again: numbers of bills that were taken back; only their days are.
    """

    from_on: date
    to_on: date | None
    account_id: int | None = None
    tariff_id: int | None = None
    points: tuple[int, int] = (0, 0)
    point_ids: tuple[int, ...] = ()
    takes_back: tuple[str, ...] = ()
    bills_again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What differs.

    old: bills that are to be taken back (columns LIVE). new: rows to be billed, as
    `composing.bills` takes them. lines: their lines, as `compose` takes them. old_lines: columns
    OLD_LINES; is_penalized says whether a late penalty came of the line's charge. pairs: old_id
    and row, one of which may be null.
    refusals: old_id, number, code, sentence, for bills that cannot be rated as things stand;
    they and what belongs to them are in no other frame.
    """

    old: pl.DataFrame
    new: pl.DataFrame
    lines: pl.DataFrame
    old_lines: pl.DataFrame
    pairs: pl.DataFrame
    refusals: pl.DataFrame


LIVE = {
    "old_id": pl.Int64,
    "number": pl.String,
    "account_id": pl.Int64,
    "service_point_id": pl.Int64,
    "tariff_id": pl.Int64,
    "root_id": pl.Int64,
    "span_from": pl.Date,
    "span_to": pl.Date,
    "old_read_id": pl.Int64,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "total_cents": pl.Int64,
    "entry_id": pl.Int64,
    "is_orphaned": pl.String,
    "read_id": pl.Int64,
    "usage_thousandths": pl.Int64,
    "unit": pl.String,
}
OLD_LINES = {
    "old_id": pl.Int64,
    "position": pl.Int16,
    "component_id": pl.Int64,
    "cents": pl.Int64,
    "quantity_thousandths": pl.Int64,
    "unit": pl.String,
    "rate_micros": pl.Int64,
    "days": pl.Int32,
    "charge_id": pl.Int64,
    "settled_cents": pl.Int64,
    "is_penalized": pl.Boolean,
}
_OF_CHARGES = ("settled_cents", "is_penalized")
_AGREEMENTS = {
    "agreement_id": pl.Int64,
    "account_id": pl.Int64,
    "service_point_id": pl.Int64,
    "tariff_id": pl.Int64,
    "is_metered": pl.String,
    "rate_class": pl.String,
    "meter_size": pl.String,
    "dwelling_units": pl.Int64,
    "exemptions": pl.String,
    "attributes": pl.String,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
}
_PAIRS = {"old_id": pl.Int64, "row": pl.Int64}
_REFUSED = {"old_id": pl.Int64, "number": pl.String, "code": pl.String, "sentence": pl.String}

_POINTS = """
    SELECT DISTINCT service_point_id AS id FROM billing_serviceagreement
    WHERE account_id = %(account)s
        OR (tariff_id = %(tariff)s AND service_point_id BETWEEN %(first)s AND %(last)s)
        OR service_point_id = ANY(%(point_ids)s::bigint[])
"""

_ACCOUNTS_SQL = f"""
    SELECT DISTINCT g.account_id FROM ({_POINTS}) p
    JOIN billing_serviceagreement g ON g.service_point_id = p.id
"""

_LIVE_SQL = """
    SELECT b.id, b.number, b.account_id, g.service_point_id, g.tariff_id,
        coalesce(k.root_id, b.read_id),
        coalesce(r.from_on, n.season_from_on, b.from_on),
        coalesce(r.to_on, n.season_to_on, b.to_on),
        b.read_id, b.from_on, b.to_on, {stands},
        NOT g.period @> daterange(b.from_on, b.to_on),
        coalesce(c.id, r.id), coalesce(c.usage_thousandths, r.usage_thousandths, 0),
        coalesce(c.unit, r.unit)
    FROM ({points}) p
    JOIN billing_serviceagreement g ON g.service_point_id = p.id
    JOIN billing_bill b ON b.account_id = g.account_id AND b.agreement_id = g.id
    LEFT JOIN metering_read r ON r.id = b.read_id
    LEFT JOIN rebilling_correctedread k ON k.new_id = b.read_id
    LEFT JOIN rebilling_correctedread l ON l.root_id = coalesce(k.root_id, b.read_id)
        AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread m WHERE m.old_id = l.new_id)
    LEFT JOIN metering_read c ON c.id = l.new_id
    LEFT JOIN LATERAL (SELECT season_from_on, season_to_on FROM billing_billrun
        WHERE NOT is_metered AND season_from_on <= b.from_on AND season_to_on >= b.to_on
        ORDER BY tariff_id <> g.tariff_id, id LIMIT 1) n ON b.read_id IS NULL
    WHERE NOT EXISTS (SELECT 1 FROM billing_bill x WHERE x.replaces_id = b.id)
        AND {only}
        AND coalesce(r.to_on, n.season_to_on, b.to_on) > %(from_on)s
        AND coalesce(r.from_on, n.season_from_on, b.from_on)
            < coalesce(%(to_on)s::date, 'infinity')
    ORDER BY b.id
"""

_STANDING = "NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)"
_ALL_LIVE_SQL = _LIVE_SQL.format(points=_POINTS, stands="b.total_cents, b.entry_id", only=_STANDING)
_TAKEN_BACK_SQL = _LIVE_SQL.format(
    points=_POINTS, stands="b.total_cents, b.entry_id",
    only=f"{_STANDING} AND b.number = ANY(%(takes_back)s)",
)  # fmt: skip
_AGAIN_SQL = _LIVE_SQL.format(
    points=_POINTS, stands="0, NULL", only=f"NOT {_STANDING} AND b.number = ANY(%(bills_again)s)"
)

_AGREEMENTS_SQL = f"""
    SELECT a.id, a.account_id, a.service_point_id, a.tariff_id, a.is_metered, a.rate_class,
        a.meter_size, a.dwelling_units, nullif(array_to_string(a.exemptions, ','), ''),
        nullif(a.attributes::text, '{{}}'), lower(a.period), upper(a.period)
    FROM ({_POINTS}) p
    JOIN billing_serviceagreement a ON a.service_point_id = p.id
    WHERE NOT isempty(a.period)
"""

# The lines, what is settled of their charges and which of these drew a penalty are read one by one
# and joined here: the planner takes a chunk's lines for many more than they are, and would read all
# that was ever settled for them.
_LINES_SQL = """
    SELECT bill_id, position, component_id, cents, quantity_thousandths, unit, rate_micros, days,
        charge_id
    FROM billing_billline WHERE bill_id = ANY(%s) ORDER BY bill_id, position
"""
_SETTLED_SQL = "SELECT charge_id, settled_cents FROM ledger_settlement WHERE charge_id = ANY(%s)"
_PENALIZED_SQL = "SELECT DISTINCT caused_by_id FROM penalties_penalty WHERE caused_by_id = ANY(%s)"


def accounts_of(database: psycopg.Connection[Any], scope: Scope) -> list[int]:
    """Every account that is or was billed at the scope's service points, by id."""
    found = database.execute(f"{_ACCOUNTS_SQL} ORDER BY 1", _params(scope)).fetchall()
    return [int(row[0]) for row in found]


def recompute(database: psycopg.Connection[Any], scope: Scope) -> Recomputed:
    """What differs between the bills of the scope and what they would be today."""
    params = _params(scope)
    live = read_frame(database, _live_sql(scope), LIVE, params).with_columns(
        is_orphaned=pl.col("is_orphaned") == "t"
    )
    if scope.takes_back:
        return _nothing_due(live, _old_lines(database, live))
    agreements = read_frame(database, _AGREEMENTS_SQL, _AGREEMENTS, params)
    rows = due_rows(live, agreements)
    rated = _rated(rows)
    live, rows, refusals = _apart(live, rows, rated.refusals)
    lines = rated.lines.join(rows.select("row"), on="row", how="semi")
    rows = rows.join(lines.select("row").unique(), on="row", how="semi", maintain_order="left")
    standing = live.clear() if scope.bills_again else live
    old_lines = _old_lines(database, standing)
    pairs = differing(paired(live, rows), live, rows, old_lines, lines)
    return kept(Recomputed(live, rows, lines, old_lines, pairs, refusals), pairs)


def _live_sql(scope: Scope) -> str:
    if scope.takes_back:
        return _TAKEN_BACK_SQL
    return _AGAIN_SQL if scope.bills_again else _ALL_LIVE_SQL


def _old_lines(database: psycopg.Connection[Any], live: pl.DataFrame) -> pl.DataFrame:
    columns = {name: kind for name, kind in OLD_LINES.items() if name not in _OF_CHARGES}
    lines = read_frame(database, _LINES_SQL, columns, [live["old_id"].to_list()])
    charges = lines["charge_id"].drop_nulls().to_list()
    settled = read_frame(
        database, _SETTLED_SQL, {"charge_id": pl.Int64, "settled_cents": pl.Int64}, [charges]
    )
    penalized = read_frame(database, _PENALIZED_SQL, {"charge_id": pl.Int64}, [charges])
    return lines.join(settled, on="charge_id", how="left", maintain_order="left").with_columns(
        pl.col("settled_cents").fill_null(0),
        is_penalized=pl.col("charge_id").is_in(penalized["charge_id"].implode()).fill_null(False),
    )


def _nothing_due(live: pl.DataFrame, old_lines: pl.DataFrame) -> Recomputed:
    rows = due_rows(live.clear(), pl.DataFrame(schema=_AGREEMENTS))
    pairs = live.select("old_id", row=pl.lit(None, dtype=pl.Int64))
    return Recomputed(
        live, rows, pl.DataFrame(schema=LINES), old_lines, pairs, pl.DataFrame(schema=_REFUSED)
    )


def kept(found: Recomputed, pairs: pl.DataFrame) -> Recomputed:
    """What belongs to some of the pairs."""
    return Recomputed(
        old=found.old.join(pairs, on="old_id", how="semi", maintain_order="left"),
        new=found.new.join(pairs, on="row", how="semi", maintain_order="left"),
        lines=found.lines.join(pairs, on="row", how="semi").sort("row", "position"),
        old_lines=found.old_lines.join(pairs, on="old_id", how="semi", maintain_order="left"),
        pairs=pairs,
        refusals=found.refusals,
    )


def changes(found: Recomputed) -> pl.DataFrame:
    """What each pair changes by: old_id, row, to_on (of the new bill, else the old), cents."""
    made = found.lines.group_by("row").agg(made=pl.col("cents").sum())
    return (
        found.pairs.join(
            found.old.select("old_id", "total_cents", old_to="to_on"), on="old_id", how="left"
        )
        .join(found.new.select("row", new_to="to_on"), on="row", how="left")
        .join(made, on="row", how="left")
        .select(
            "old_id",
            "row",
            to_on=pl.coalesce("new_to", "old_to"),
            cents=pl.col("made").fill_null(0) - pl.col("total_cents").fill_null(0),
        )
    )


def _params(scope: Scope) -> dict[str, Any]:
    return {
        "account": scope.account_id,
        "tariff": scope.tariff_id,
        "first": scope.points[0],
        "last": scope.points[1],
        "point_ids": list(scope.point_ids),
        "from_on": scope.from_on,
        "to_on": scope.to_on,
        "takes_back": list(scope.takes_back),
        "bills_again": list(scope.bills_again),
    }


def due_rows(live: pl.DataFrame, agreements: pl.DataFrame) -> pl.DataFrame:
    """What is to be billed for the spans of the live bills, as `rating.rate` takes it.

    An agreement counts for the days that were billed under its tariff, and for those whose bill
    was made under an agreement that no longer holds for them. Usage is shared by days as in a
    bill run. Returns `row`, agreement_id, account_id, read_id, the span and the columns USAGES.
    """
    spans = live.select(*SPAN, "read_id", "usage_thousandths", "unit").unique(
        SPAN, maintain_order=True
    )
    spans = spans.with_columns(
        is_metered=pl.when(pl.col("root_id").is_null()).then(pl.lit("f")).otherwise(pl.lit("t"))
    )
    rows = (
        spans.join(
            agreements, on=["service_point_id", "is_metered"], how="inner", maintain_order="left"
        )
        .with_columns(
            from_on=pl.max_horizontal("span_from", pl.col("starts_on").fill_null(date.min)),
            to_on=pl.min_horizontal("span_to", pl.col("ends_on").fill_null(_FAR)),
        )
        .filter(pl.col("from_on") < pl.col("to_on"))
        .with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64))
    )
    rows = rows.join(_billed(rows, live), on="row", how="semi", maintain_order="left")
    return _shared(rows.sort("account_id", "to_on", "read_id", "row", maintain_order=True))


def _billed(rows: pl.DataFrame, live: pl.DataFrame) -> pl.DataFrame:
    """The rows of days that were billed: `row`."""
    bills = live.select(
        *SPAN,
        "is_orphaned",
        billed_tariff="tariff_id",
        billed_from="from_on",
        billed_to="to_on",
    )
    return (
        rows.select("row", *SPAN, "tariff_id", "from_on", "to_on")
        .join(bills, on=SPAN, how="inner", nulls_equal=True)
        .filter(
            (pl.col("billed_from") < pl.col("to_on"))
            & (pl.col("billed_to") > pl.col("from_on"))
            & (pl.col("is_orphaned") | (pl.col("billed_tariff") == pl.col("tariff_id")))
        )
        .select("row")
        .unique()
    )


def _shared(rows: pl.DataFrame) -> pl.DataFrame:
    return shared_by_days(
        rows.with_columns(
            days_before=(pl.col("from_on") - pl.col("span_from")).dt.total_days(),
            days_of_read=(pl.col("span_to") - pl.col("span_from")).dt.total_days(),
        )
    ).with_columns(
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        exemptions=pl.col("exemptions").fill_null("").str.split(",").list.drop_nulls(),
    )


def _rated(rows: pl.DataFrame) -> Rated:
    lines, refusals = [pl.DataFrame(schema=LINES)], [pl.DataFrame(schema=REFUSALS)]
    for part in rows.partition_by("tariff_id", maintain_order=True):
        rated = rate(tariffs.schedule(part["tariff_id"][0]), part)
        lines.append(rated.lines)
        refusals.append(rated.refusals)
    return Rated(pl.concat(lines, rechunk=False), pl.concat(refusals))


def _apart(
    live: pl.DataFrame, rows: pl.DataFrame, refused: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Leaves out whole spans of which a row cannot be rated, and says why for each bill."""
    if refused.is_empty():
        return live, rows, pl.DataFrame(schema=_REFUSED)
    spans = rows.join(refused, on="row").unique(SPAN, keep="first", maintain_order=True)
    spans = spans.select(*SPAN, "code", "sentence")
    refusals = live.join(spans, on=SPAN, nulls_equal=True).select(list(_REFUSED))
    return (
        live.join(spans, on=SPAN, how="anti", nulls_equal=True, maintain_order="left"),
        rows.join(spans, on=SPAN, how="anti", nulls_equal=True, maintain_order="left"),
        refusals.sort("old_id"),
    )


def paired(live: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Which row stands in for which bill: old_id, row; null where there is none.

    Within an account and span, under the same tariff if there is one, in the order of days.
    """
    same_tariff = [*SPAN, "account_id", "tariff_id"]
    found = _in_order(live, rows, same_tariff)
    left = live.join(found, on="old_id", how="anti", maintain_order="left")
    over = rows.join(found, on="row", how="anti", maintain_order="left")
    found = pl.concat([found, _in_order(left, over, [*SPAN, "account_id"])])
    gone = live.join(found, on="old_id", how="anti", maintain_order="left")
    added = rows.join(found, on="row", how="anti", maintain_order="left")
    return pl.concat(
        [
            found,
            gone.select("old_id", row=pl.lit(None, dtype=pl.Int64)),
            added.select(pl.lit(None, dtype=pl.Int64).alias("old_id"), "row"),
        ]
    ).sort("row", "old_id", nulls_last=True)


def _in_order(live: pl.DataFrame, rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    def placed(frame: pl.DataFrame, what: str) -> pl.DataFrame:
        sorted_frame = frame.sort(*key, "from_on", what)
        return sorted_frame.select(what, *key, place=pl.int_range(pl.len()).over(key))

    return (
        placed(live, "old_id")
        .join(placed(rows, "row"), on=[*key, "place"], nulls_equal=True)
        .select(pl.col("old_id"), pl.col("row"))
    )


def differing(
    pairs: pl.DataFrame,
    live: pl.DataFrame,
    rows: pl.DataFrame,
    old_lines: pl.DataFrame,
    lines: pl.DataFrame,
) -> pl.DataFrame:
    """The pairs that differ in days, read or a printed value, or of which one side is missing."""
    both = pairs.drop_nulls()
    days = ["from_on", "to_on", "read"]
    same_days = (
        both.join(live.select("old_id", "from_on", "to_on", read="old_read_id"), on="old_id")
        .join(
            rows.select("row", "from_on", "to_on", read="read_id"),
            on=["row", *days],
            nulls_equal=True,
        )
        .select("old_id", "row")
    )
    printed = old_lines.with_columns(pl.col("position").cast(pl.Int16))
    matched = (
        same_days.join(printed, on="old_id")
        .join(lines, on=["row", "position", *_PRINTED], nulls_equal=True)
        .group_by("old_id", "row")
        .len("matched")
    )
    counted = (
        matched.join(old_lines.group_by("old_id").len("old_count"), on="old_id")
        .join(lines.group_by("row").len("new_count"), on="row")
        .filter(
            (pl.col("matched") == pl.col("old_count")) & (pl.col("matched") == pl.col("new_count"))
        )
    )
    nothing = live.filter(pl.col("total_cents") == 0).join(
        pairs.filter(pl.col("row").is_null()), on="old_id", how="semi"
    )
    return pairs.join(counted, on=["old_id", "row"], how="anti", maintain_order="left").join(
        nothing, on="old_id", how="anti", maintain_order="left"
    )
