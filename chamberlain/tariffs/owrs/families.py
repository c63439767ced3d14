"""Which field a name means: the suffix families of the format.

Older files say `flat_rate`, `tier_starts`, `budget`; later ones name each family with a suffix,
`flat_rate_commodity`, while formulas inside the family still say `indoor + outdoor`. `_commodity`
belongs to commodity_charge, `_drought` to variable_drought_surcharge, `_wastewater` to
variable_wastewater_charge, and older files put `sewer_` before the fields of sewer_charge.
"""

from collections.abc import Collection
from dataclasses import dataclass

COMMODITY = "_commodity"
SURCHARGES = (
    "fixed_drought_surcharge",
    "variable_drought_surcharge",
    "fixed_wastewater_charge",
    "variable_wastewater_charge",
)


@dataclass(frozen=True, slots=True)
class Family:
    """The fields that price one charge; `column_suffix` ends the names of its tier columns."""

    prefix: str = ""
    suffix: str = ""
    column_suffix: str = ""

    def member(self, name: str) -> str:
        """The family's own field of that name."""
        return f"{self.prefix}{name}{self.suffix}"


_COMMODITY = Family(suffix=COMMODITY)
_DROUGHT = Family(suffix="_drought", column_suffix="_drought")
_WASTEWATER = Family(suffix="_wastewater", column_suffix="_wastewater")
_SEWER = Family(prefix="sewer_", column_suffix="_sewer")
_CHARGES = {
    "commodity_charge": _COMMODITY,
    "variable_drought_surcharge": _DROUGHT,
    "variable_wastewater_charge": _WASTEWATER,
    "sewer_charge": _SEWER,
}


def family_of(field: str) -> Family:
    """The family that a field belongs to."""
    if field in _CHARGES:
        return _CHARGES[field]
    for family in (_DROUGHT, _WASTEWATER):
        if field.endswith(family.suffix):
            return family
    if field.startswith("sewer_"):
        return _SEWER
    return _COMMODITY


def tiers_family(charge: str) -> Family:
    """The family of a charge that is Tiered or Budget; an unknown one has its own suffix."""
    if charge in _CHARGES:
        return _CHARGES[charge]
    stem = charge.removesuffix("_charge").removesuffix("_surcharge")
    return Family(suffix=f"_{stem}", column_suffix=f"_{stem}")


def find(name: str, inside: str, fields: Collection[str]) -> str | None:
    """The field that a name means inside another field, or None when it must be a column.

    In tier starts `indoor` and the budget are the family's own. In a formula a plain name is the
    plain field, which is commodity's, even in `budget_drought: indoor+outdoor`: so the reference
    program reads it. The family's own field comes in where there is no plain one.
    """
    own = family_of(inside).member(name)
    plain = (name, name + COMMODITY)
    stripped = name.removesuffix(COMMODITY)
    first = (own, *plain) if "tier_starts" in inside else (*plain, own)
    return next((each for each in (*first, stripped) if each in fields), None)


def tiers_field(name: str, charge: str, fields: Collection[str]) -> str | None:
    """The tier_starts or tier_prices of a charge: its family's; plain ones serve commodity only."""
    family = tiers_family(charge)
    candidates = [family.member(name)]
    if family is _COMMODITY:
        candidates.append(name)
    return next((found for found in candidates if found in fields), None)


def output_name(field: str, fields: Collection[str]) -> str:
    """The column a field is shown in: without `_commodity`, unless that name is another field's."""
    stripped = field.removesuffix(COMMODITY)
    return field if stripped in fields else stripped
