"""The final bill before it is made: its days, usage and lines, nothing posted."""

from dataclasses import dataclass
from datetime import date

from chamberlain.billing.finals.models import MoveOut
from chamberlain.billing.finals.unbilled import unbilled
from chamberlain.tariffs.models import Component


@dataclass(frozen=True, slots=True)
class ShownBill:
    """A bill that would be made. usage_thousandths: None without a meter."""

    from_on: date
    to_on: date
    usage_thousandths: int | None
    unit: str | None
    lines: tuple[tuple[str, int], ...]

    @property
    def cents(self) -> int:
        """What its lines come to."""
        return sum(cents for _, cents in self.lines)


def shown_bills(move_out_id: int) -> tuple[ShownBill, ...]:
    """The bills that would end an account now; lines as (label, cents). Raises NotBillable."""
    found = unbilled(MoveOut.objects.get(pk=move_out_id))
    if found.lines.is_empty():
        return ()
    ids = found.lines["component_id"].unique().to_list()
    labels = dict(Component.objects.filter(pk__in=ids).values_list("pk", "label"))
    lines: dict[int, list[tuple[str, int]]] = {}
    for row, component_id, cents in found.lines.select("row", "component_id", "cents").rows():
        lines.setdefault(row, []).append((labels[component_id], cents))
    return tuple(
        ShownBill(
            usage["from_on"],
            usage["to_on"],
            usage["usage_thousandths"] if usage["unit"] else None,
            usage["unit"],
            tuple(lines.get(usage["row"], ())),
        )
        for usage in found.usages.iter_rows(named=True)
    )
