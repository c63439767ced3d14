"""The tariffs as people look them up: lists, figures through the years, what is unverified."""

from dataclasses import dataclass

from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A tariff as lists show it. unit: what its usage is shown in, by its short name."""

    tariff_id: int
    code: str
    name: str
    kind: str
    unit: str
    proration: str
    source: str
    components: int


_TARIFFS = """
    SELECT t.id, t.code, t.name, t.kind, t.unit, t.proration, t.source,
        (SELECT count(*) FROM tariffs_component c WHERE c.tariff_id = t.id)
    FROM tariffs_tariff t
"""


def tariff_rows() -> list[TariffRow]:
    """All tariffs, by name."""
    return [TariffRow(*row) for row in _rows(_TARIFFS + "ORDER BY t.name, t.code", [])]


def tariff_row(code: str) -> TariffRow:
    """One tariff. Raises NotFound."""
    rows = _rows(_TARIFFS + "WHERE t.code = %s", [code])
    if not rows:
        raise NotFound(f"There is no tariff {code[:40]}; look at the list of tariffs.")
    return TariffRow(*rows[0])


def percent_components(tariff_code: str) -> frozenset[int]:
    """Ids of the printed lines of a tariff that are a percentage of others."""
    query = """
        SELECT c.id FROM tariffs_component c JOIN tariffs_tariff t ON t.id = c.tariff_id
        WHERE t.code = %s AND c.terms ->> 'type' = 'percent'
    """
    return frozenset(int(row[0]) for row in _rows(query, [tariff_code]))
