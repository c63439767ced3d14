"""Figures that a city lets grow by a yearly percentage instead of publishing each of them."""

from collections.abc import Mapping
from fractions import Fraction

from chamberlain.kernel.money import round_half_up
from chamberlain.tariffs.reading import Faults, Fields

_DOLLARS_MAX = 1_000_000
_PERCENT_MAX = 1_000


def grown(terms: Mapping[str, object], faults: Faults, place: str) -> dict[str, object]:
    """Terms with `growth` written out as versions, each marked unverified.

    growth: `note` and `percents`, a list of `effective` and `percent`: from that day the figure
    before it, so many percent larger, rounded half up to the cent. Only plain figures grow.
    """
    plain = {name: value for name, value in terms.items() if name != "growth"}
    versions = list(v) if isinstance(v := terms.get("versions"), list) else []
    last = versions[-1] if versions and isinstance(versions[-1], Mapping) else {}
    field = next((name for name in ("rate", "amount") if name in last), "rate")
    cents = Fields(last, f"{place}.growth", faults).number(field, _DOLLARS_MAX) * 100
    fields = Fields(terms["growth"], f"{place}.growth", faults)
    note = fields.text("note", 300)
    for number, item in enumerate(fields.items("percents"), 1):
        inner = Fields(item, f"{place}.growth.{number}", faults)
        larger = cents * (100 + inner.number("percent", _PERCENT_MAX)) / 100
        cents = Fraction(round_half_up(larger.numerator, larger.denominator))
        day = inner.day("effective")
        inner.finish()
        versions.append(
            {
                "effective": str(day),
                field: f"{int(cents) // 100}.{int(cents) % 100:02d}",
                "verified": False,
                "note": note,
            }
        )
    fields.finish()
    return {**plain, "versions": versions}
