"""Which agreements say otherwise than the type and units of their property: one or the city's."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from chamberlain.database.rows import rows

ANY_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Billing:
    """How a service is billed. tariff: its code."""

    tariff: str
    rate_class: str
    dwelling_units: int
    exemptions: tuple[str, ...]
    cycle_months: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An agreement that says otherwise than its property's type, from a day on.

    from_on: the first day of it; type_name, type_units: what the property is then.
    """

    agreement_id: int
    account_id: int
    account: str
    property_id: int
    address: str
    service_point: str
    type_name: str
    type_units: int
    from_on: date
    old: Billing
    right: Billing
    source: str
    is_verified: bool

    @property
    def differences(self) -> tuple[tuple[str, str, str], ...]:
        """What differs: label, old and right, in words."""
        pairs = (
            ("Tariff", self.old.tariff, self.right.tariff),
            ("Rate class", _words(self.old.rate_class), _words(self.right.rate_class)),
            ("Dwelling units", str(self.old.dwelling_units), str(self.right.dwelling_units)),
            ("Exemptions", _listed(self.old.exemptions), _listed(self.right.exemptions)),
            ("Billed every", _months(self.old.cycle_months), _months(self.right.cycle_months)),
        )
        return tuple(pair for pair in pairs if pair[1] != pair[2])

    @property
    def changes_money(self) -> bool:
        """Whether more differs than how often it is billed."""
        return any(label != "Billed every" for label, _, _ in self.differences)


def _words(code: str) -> str:
    return code.replace("_", " ") or "none"


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(_words(code) for code in codes) or "none"


def _months(count: int) -> str:
    return "month" if count == 1 else f"{count} months"


# What each property is, by ranges of days; as registered before its first change. Terms hold from
# their first day until later ones of the same type and units. Exemptions that no type gives are a
# person's, and stay.
_FROM = """
    WITH changed AS (
        SELECT DISTINCT ON (property_id, from_on) property_id, from_on, property_type_id,
            dwelling_units
        FROM registry_propertychange
        WHERE %(property)s::bigint IS NULL OR property_id = %(property)s
        ORDER BY property_id, from_on, id DESC),
    use AS (
        SELECT property_id, property_type_id, dwelling_units, daterange(from_on,
            lead(from_on) OVER (PARTITION BY property_id ORDER BY from_on)) AS days
        FROM changed
        UNION ALL
        SELECT p.id, p.property_type_id, p.dwelling_units, daterange(NULL, f.from_on)
        FROM registry_property p
        LEFT JOIN (SELECT property_id, min(from_on) AS from_on FROM changed GROUP BY 1) f
            ON f.property_id = p.id
        WHERE %(property)s::bigint IS NULL OR p.id = %(property)s),
    terms AS (
        SELECT *, daterange(starts_on, lead(starts_on) OVER (
            PARTITION BY property_type_id, least_units ORDER BY starts_on)) AS days
        FROM property_terms_propertyterms),
    given AS (SELECT coalesce(array_agg(DISTINCT code), '{}') AS codes
        FROM property_terms_propertyterms, unnest(exemptions) AS code),
    said AS (
        SELECT g.id, g.account_id, u.property_id, g.service_point_id, u.property_type_id,
            u.dwelling_units AS type_units, lower(g.period * u.days) AS from_on,
            o.code AS tariff, g.rate_class, greatest(g.dwelling_units, 1) AS units,
            g.exemptions, g.cycle_months,
            coalesce(nullif(CASE WHEN g.is_metered THEN t.metered_tariff
                ELSE t.unmetered_tariff END, ''), o.code) AS right_tariff,
            coalesce(nullif(t.rate_class, ''), g.rate_class) AS right_class,
            greatest(u.dwelling_units, 1) AS right_units,
            CASE WHEN t.exemptions = '{}' AND NOT g.exemptions && given.codes THEN g.exemptions
                ELSE ARRAY(SELECT unnest(g.exemptions) EXCEPT SELECT unnest(given.codes)
                    UNION SELECT unnest(t.exemptions) ORDER BY 1) END AS right_exemptions,
            coalesce(CASE WHEN g.is_metered THEN t.metered_months ELSE t.unmetered_months END,
                g.cycle_months) AS right_months,
            t.source, t.is_verified
        FROM use u
        JOIN registry_servicepoint s ON s.property_id = u.property_id
        JOIN billing_serviceagreement g ON g.service_point_id = s.id AND g.period && u.days
        JOIN tariffs_tariff o ON o.id = g.tariff_id
        JOIN terms t ON t.property_type_id = u.property_type_id
            AND u.dwelling_units >= t.least_units
            AND u.dwelling_units <= coalesce(t.most_units, u.dwelling_units)
            AND t.days @> greatest(lower(g.period * u.days), %(terms_on)s::date)
        CROSS JOIN given
        WHERE (%(on)s::date IS NULL OR (g.period * u.days) @> %(on)s::date)
            AND (%(account)s::bigint IS NULL OR g.account_id = %(account)s)),
    differs AS (
        SELECT * FROM said WHERE tariff <> right_tariff OR rate_class <> right_class
            OR units <> right_units OR cycle_months <> right_months
            OR NOT (exemptions @> right_exemptions AND right_exemptions @> exemptions))
"""
_ROWS = """
    SELECT d.id, d.account_id, a.number, d.property_id, p.address, s.code, y.name, d.type_units,
        d.from_on, d.tariff, d.rate_class, d.units, d.exemptions, d.cycle_months, d.right_tariff,
        d.right_class, d.right_units, d.right_exemptions, d.right_months, d.source, d.is_verified
    FROM differs d
    JOIN ledger_account a ON a.id = d.account_id
    JOIN registry_property p ON p.id = d.property_id
    JOIN registry_servicepoint s ON s.id = d.service_point_id
    JOIN registry_propertytype y ON y.code = d.property_type_id
    ORDER BY a.number, d.from_on, d.id LIMIT %(limit)s OFFSET %(offset)s
"""


def disagreements(on: date, limit: int = 50, offset: int = 0) -> list[Disagreement]:
    """The city's agreements in force on a day that say otherwise, by account number."""
    values = {"property": None, "account": None, "on": on, "terms_on": on}
    return _found({**values, "limit": limit, "offset": offset})


def count_disagreements(on: date) -> int:
    """How many `disagreements` there are."""
    values = {"property": None, "account": None, "on": on, "terms_on": on}
    return int(rows(f"{_FROM} SELECT count(*) FROM differs", values)[0][0])


def disagreements_at(property_id: int) -> list[Disagreement]:
    """Agreements at a property that say otherwise on some days, through all of its time.

    Terms before the city's first ones are not known, so nothing is said of those days.
    """
    return _found(
        {"property": property_id, "account": None, "on": None, "terms_on": ANY_DAY,
         "limit": 100, "offset": 0}
    )  # fmt: skip


def disagreements_of(account_id: int, property_id: int, on: date) -> list[Disagreement]:
    """Agreements of one account at a property that say otherwise on a day."""
    return _found(
        {"property": property_id, "account": account_id, "on": on, "terms_on": on,
         "limit": 100, "offset": 0}
    )  # fmt: skip


def _found(values: dict[str, Any]) -> list[Disagreement]:
    return [
        Disagreement(
            *[
                *row[:9],
                Billing(row[9], row[10], row[11], tuple(sorted(row[12])), row[13]),
                Billing(row[14], row[15], row[16], tuple(sorted(row[17])), row[18]),
                *row[19:],
            ]
        )
        for row in rows(_FROM + _ROWS, values)
    ]
