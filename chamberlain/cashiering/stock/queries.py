"""What is looked up of the stock: where it lies, what is under way, what differs, one number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from chamberlain.cashiering.stock.models import Count, Handover, Held, Kind, Move, Place
from chamberlain.cashiering.stock.numbers import Span, count, merged, of_kept, without
from chamberlain.cashiering.stock.places import (
    LIVE,
    Role,
    center_id_of,
    name_of,
    numbering,
    place_with_id,
)
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class StockKind:
    """A kind of numbered stock. like: how a number looks."""

    code: str
    name: str
    like: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place that stock goes to or comes from. center_id: None for the city's own."""

    place_id: int
    name: str
    role: str
    center_id: int | None


@dataclass(frozen=True, slots=True)
class StockRow:
    """How much of a kind is at a place, and the numbers in words."""

    kind: str
    kind_code: str
    place_id: int
    place: str
    role: str
    center_id: int | None
    count: int
    numbers: str
    is_low: bool


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """A handover. lacking: what did not arrive, in words, once it was accepted."""

    handover_id: int
    kind: str
    source: str
    target: str
    target_id: int
    center_id: int | None
    document: str
    count: int
    numbers: str
    sent_by_id: int
    sent_by: str
    sent_at: datetime
    accepted_by: str
    accepted_by_id: int | None
    accepted_at: datetime | None
    lacking: str
    settled_by: str

    @property
    def state(self) -> str:
        """`sent`, `lacking` or `done`."""
        if self.accepted_at is None:
            return "sent"
        return "lacking" if self.lacking and not self.settled_by else "done"


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count of a place. missing, surplus: numbers in words, "" for none."""

    count_id: int
    place_id: int
    place: str
    center_id: int | None
    kind: str
    counted_by_id: int
    counted_by: str
    counted_at: datetime
    found: int
    missing: str
    surplus: str
    is_settled: bool
    settled_by: str
    note: str


@dataclass(frozen=True, slots=True)
class MoveRow:
    """A move of numbers in words."""

    kind: str
    numbers: str
    count: int
    source: str
    target: str
    moved_by: str
    second: str
    moved_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A number that was sold: for what, to which account, at which till, and what is open."""

    kind: str
    number: str
    subject: str
    account_number: str
    till: str
    cashier: str
    sold_at: datetime
    cents: int
    open_cents: int
    receipt_id: int | None
    receipt: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A day of a kind at a place: what was there, came, went and is there, in pieces."""

    place: str
    kind: str
    opening: int
    received: int
    sold: int
    taken_back: int
    spoiled: int
    handed_on: int
    missing: int
    closing: int

    @property
    def adds_up(self) -> bool:
        """Whether the day's moves lead from the opening to the closing."""
        moved = self.received + self.taken_back - self.sold - self.spoiled - self.handed_on
        return self.opening + moved - self.missing == self.closing


def kinds() -> list[StockKind]:
    """Every kind of stock, by code."""
    return [
        StockKind(kind.code, kind.name, numbering(kind).number(412))
        for kind in Kind.objects.order_by("code")
    ]


def places(*roles: str) -> list[PlaceRow]:
    """The places of some roles, or all of them: the store, then safes and tills by center."""
    found = Place.objects.select_related("center", "till__center")
    wanted = [place for place in found if not roles or place.role in roles]
    order = {Role.STORE: 0, Role.SAFE: 1, Role.TILL: 2}
    wanted.sort(key=lambda place: (order.get(Role(place.role), 3), name_of(place)))
    return [PlaceRow(place.pk, name_of(place), place.role, center_id_of(place)) for place in wanted]


def place(place_id: int) -> PlaceRow:
    """One place. Raises NotFound."""
    found = place_with_id(place_id)
    return PlaceRow(found.pk, name_of(found), found.role, center_id_of(found))


def place_of_till(till_id: int) -> int:
    """The place of a till."""
    return int(Place.objects.get(till_id=till_id).pk)


def stock(center_ids: Sequence[int] | None = None) -> list[StockRow]:
    """What lies in the store, the safes and the tills and is under way, kind by kind.

    center_ids: only places of these centers; None for all of the city.
    """
    found = (
        Held.objects.filter(place__role__in=LIVE)
        .select_related("kind", "place__center", "place__till__center")
        .order_by("kind__code", "place_id", "numbers")
    )
    groups: dict[tuple[int, int], list[Held]] = {}
    for held in found:
        center = center_id_of(held.place)
        if center_ids is None or center in center_ids:
            groups.setdefault((held.kind_id, held.place_id), []).append(held)
    return [_stock_row(group) for group in groups.values()]


def _stock_row(group: list[Held]) -> StockRow:
    kind, place = group[0].kind, group[0].place
    spans = merged(Span(held.numbers.lower, held.numbers.upper - 1) for held in group)
    there = count(spans)
    return StockRow(
        kind=kind.name,
        kind_code=kind.code,
        place_id=place.pk,
        place=name_of(place),
        role=place.role,
        center_id=center_id_of(place),
        count=there,
        numbers=numbering(kind).listed(spans, 4),
        is_low=place.role == Role.TILL and there < kind.low_below,
    )


def next_at_till(till_id: int, fee_code: str) -> str | None:
    """The number that a fee is sold with next at a till; "" when none is left, else None."""
    kind = Kind.objects.filter(fees__fee__code=fee_code).first()
    if kind is None:
        return None
    found = Held.objects.filter(kind=kind, place__till_id=till_id).order_by("numbers").first()
    return numbering(kind).number(found.numbers.lower) if found else ""


def what_became(role: str) -> list[StockRow]:
    """How many of each kind were sold, spoiled, are missing or were sent back."""
    found: dict[int, list[Held]] = {}
    for held in Held.objects.filter(place__role=role).select_related("kind", "place"):
        found.setdefault(held.kind_id, []).append(held)
    return [_stock_row(group) for group in found.values()]


def at_till(till_id: int) -> list[StockRow]:
    """What lies at a till."""
    place_id = place_of_till(till_id)
    return [row for row in stock() if row.place_id == place_id]


def handovers(*, is_open: bool, limit: int = 200) -> list[HandoverRow]:
    """Handovers that wait for somebody, the oldest first; else the latest of all."""
    if is_open:
        waiting = _handovers().filter(settled_at=None).exclude(arrived=F("spans")).order_by("pk")
        listed = [_handover(each) for each in waiting]
        return [row for row in listed if row.state != "done"][:limit]
    return [_handover(each) for each in _handovers().order_by("-pk")[:limit]]


def handover(handover_id: int) -> HandoverRow:
    """One handover. Raises NotFound."""
    found = _handovers().filter(pk=handover_id).first()
    if found is None:
        raise NotFound("There is no such handover; look at the list.")
    return _handover(found)


def _handovers() -> QuerySet[Handover]:
    return Handover.objects.select_related(
        "kind", "source__center", "source__till__center", "target__center", "target__till__center",
        "sent_by", "accepted_by", "settled_by",
    )  # fmt: skip


def _handover(each: Handover) -> HandoverRow:
    shown = numbering(each.kind)
    sent = of_kept(each.spans)
    lacking = without(sent, of_kept(each.arrived)) if each.accepted_at else []
    return HandoverRow(
        handover_id=each.pk,
        kind=each.kind.name,
        source=name_of(each.source),
        target=name_of(each.target),
        target_id=each.target_id,
        center_id=center_id_of(each.target),
        document=each.document,
        count=count(sent),
        numbers=shown.listed(sent),
        sent_by_id=each.sent_by_id,
        sent_by=str(each.sent_by),
        sent_at=each.sent_at,
        accepted_by=str(each.accepted_by or ""),
        accepted_by_id=each.accepted_by_id,
        accepted_at=each.accepted_at,
        lacking=shown.listed(lacking) if lacking else "",
        settled_by=str(each.settled_by or ""),
    )


def counts(*, is_settled: bool, limit: int = 200) -> list[CountRow]:
    """Counts that differ and wait, the oldest first; else those that are settled, the latest."""
    found = _counts().filter(is_settled=is_settled).order_by("-pk" if is_settled else "pk")
    return [_count(each) for each in found[:limit]]


def count_row(count_id: int) -> CountRow:
    """One count. Raises NotFound."""
    found = _counts().filter(pk=count_id).first()
    if found is None:
        raise NotFound("There is no such count; look at the list.")
    return _count(found)


def _counts() -> QuerySet[Count]:
    return Count.objects.select_related(
        "place__center", "place__till__center", "kind", "counted_by", "settled_by"
    )


def _count(each: Count) -> CountRow:
    shown = numbering(each.kind)
    return CountRow(
        count_id=each.pk,
        place_id=each.place_id,
        place=name_of(each.place),
        center_id=center_id_of(each.place),
        kind=each.kind.name,
        counted_by_id=each.counted_by_id,
        counted_by=str(each.counted_by),
        counted_at=each.counted_at,
        found=count(of_kept(each.spans)),
        missing=shown.listed(of_kept(each.missing), 40) if each.missing else "",
        surplus=shown.listed(of_kept(each.surplus), 40) if each.surplus else "",
        is_settled=each.is_settled,
        settled_by=str(each.settled_by or ""),
        note=each.note,
    )


def way_of_number(kind_code: str, typed: str) -> tuple[str, list[MoveRow]]:
    """The number as it is printed, and every move of it, the first one first.

    Raises NotFound for an unknown kind, Invalid for what is no number.
    """
    kind = Kind.objects.filter(code=kind_code).first()
    if kind is None:
        raise NotFound("There is no such kind of stock; choose one.", field="kind")
    value = numbering(kind).value(typed, "number")
    found = Move.objects.filter(kind=kind, first__lte=value, last__gte=value)
    return numbering(kind).number(value), [_move(each) for each in _with_names(found, "pk")]


def moves_of(place_id: int, limit: int, offset: int = 0) -> list[MoveRow]:
    """The latest moves from and to a place."""
    found = _with_names(_of_place(place_id), "-pk")
    return [_move(each) for each in found[offset : offset + limit]]


def count_moves_of(place_id: int) -> int:
    """How many moves went from and to a place."""
    return _of_place(place_id).count()


def _of_place(place_id: int) -> QuerySet[Move]:
    return Move.objects.filter(Q(source_id=place_id) | Q(target_id=place_id))


def _with_names(found: QuerySet[Move], order: str) -> QuerySet[Move]:
    return found.select_related(
        "kind", "source__center", "source__till", "target__center", "target__till", "moved_by",
        "second",
    ).order_by(order)  # fmt: skip


def _move(each: Move) -> MoveRow:
    span = Span(each.first, each.last)
    return MoveRow(
        kind=each.kind.name,
        numbers=numbering(each.kind).shown(span),
        count=span.count,
        source=name_of(each.source),
        target=name_of(each.target),
        moved_by=str(each.moved_by),
        second=str(each.second or ""),
        moved_at=each.moved_at,
        reason=each.reason,
    )


_SHEET = """
    WITH moved AS (
        SELECT m.kind_id, p.id AS place_id, m.last - m.first + 1 AS pieces,
            CASE WHEN m.target_id = p.id THEN 1 ELSE -1 END AS sign,
            (m.moved_at AT TIME ZONE %(zone)s)::date AS on_day,
            CASE WHEN m.target_id = p.id THEN coalesce(s.role, 'vendor') ELSE t.role END AS other
        FROM stock_place p
        JOIN stock_move m ON p.id IN (m.source_id, m.target_id)
        LEFT JOIN stock_place s ON s.id = m.source_id
        JOIN stock_place t ON t.id = m.target_id
        WHERE p.id = ANY(%(places)s) AND (m.moved_at AT TIME ZONE %(zone)s)::date <= %(day)s
    )
    SELECT place_id, k.name,
        coalesce(sum(sign * pieces) FILTER (WHERE on_day < %(day)s), 0)::bigint,
        coalesce(sum(pieces) FILTER (WHERE on_day = %(day)s AND sign = 1 AND other <> 'sold'),
            0)::bigint,
        coalesce(sum(pieces) FILTER (WHERE on_day = %(day)s AND sign = -1 AND other = 'sold'),
            0)::bigint,
        coalesce(sum(pieces) FILTER (WHERE on_day = %(day)s AND sign = 1 AND other = 'sold'),
            0)::bigint,
        coalesce(sum(pieces) FILTER (WHERE on_day = %(day)s AND sign = -1 AND other = 'spoiled'),
            0)::bigint,
        coalesce(sum(pieces) FILTER (WHERE on_day = %(day)s AND sign = -1
            AND other NOT IN ('sold', 'spoiled', 'missing')), 0)::bigint,
        coalesce(sum(pieces) FILTER (WHERE on_day = %(day)s AND sign = -1 AND other = 'missing'),
            0)::bigint,
        sum(sign * pieces)::bigint
    FROM moved JOIN stock_kind k ON k.id = kind_id
    GROUP BY place_id, k.id, k.name ORDER BY k.name, place_id
"""


def sheet(center_id: int, day: date, zone: str) -> list[SheetRow]:
    """The stock sheet of a center's day: its safe and its tills, kind by kind."""
    here = [place for place in places(Role.SAFE, Role.TILL) if place.center_id == center_id]
    names = {place.place_id: place.name for place in here}
    found = rows(_SHEET, {"places": list(names), "day": day, "zone": zone})
    return [SheetRow(names[place_id], *row) for place_id, *row in found]


_SALES = """
    WITH sold AS (
        SELECT x.id, x.kind_id, x.number, x.obligation_id, x.sold_at, t.code AS till, d.cashier_id,
            d.business_day_id
        FROM stock_sale x
        JOIN cashiering_tillsession d ON d.id = x.session_id
        JOIN cashiering_till t ON t.id = d.till_id
        JOIN ledger_businessday b ON b.id = d.business_day_id
        WHERE x.undone_at IS NULL AND {where}
    ), paid AS (
        SELECT m.charge_id, max(r.id) AS receipt_id
        FROM cashiering_tillsession q
        JOIN cashiering_receipt r ON r.session_id = q.id AND r.void_entry_id IS NULL
        JOIN ledger_transfer m ON m.entry_id = r.entry_id AND m.effect = 'settle'
        WHERE q.business_day_id IN (SELECT business_day_id FROM sold)
        GROUP BY m.charge_id
    )
    SELECT k.name, k.prefix, k.digits, sold.number, o.subject, a.number, sold.till,
        coalesce(nullif(u.display_name, ''), u.username), sold.sold_at,
        c.cents, (c.cents - coalesce(s.settled_cents, 0))::bigint, r.id, coalesce(r.number, '')
    FROM sold
    JOIN stock_kind k ON k.id = sold.kind_id
    JOIN identity_user u ON u.id = sold.cashier_id
    JOIN revenue_obligation o ON o.id = sold.obligation_id
    JOIN ledger_account a ON a.id = o.account_id
    JOIN revenue_obligationcharge oc ON oc.obligation_id = o.id
    JOIN ledger_charge c ON c.id = oc.charge_id
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    LEFT JOIN paid ON paid.charge_id = c.id
    LEFT JOIN cashiering_receipt r ON r.id = paid.receipt_id
    ORDER BY sold.id
"""


def sales_of_day(center_id: int, day: date) -> list[SaleRow]:
    """What was sold at a center on a business day, each number with its receipt."""
    where = "t.center_id = %s AND b.day = %s"
    return [_sale(row) for row in rows(_SALES.format(where=where), [center_id, day])]


def sale_of(kind_code: str, number: str) -> SaleRow | None:
    """The sale of a number as it is printed, if it was sold and not taken back."""
    kind = Kind.objects.filter(code=kind_code).first()
    if kind is None:
        return None
    where = "x.kind_id = %s AND x.number = %s"
    value = numbering(kind).value(number, "number")
    found = rows(_SALES.format(where=where), [kind.pk, value])
    return _sale(found[0]) if found else None


def _sale(row: tuple[Any, ...]) -> SaleRow:
    name, prefix, digits, number, *more = row
    return SaleRow(name, numbering(Kind(prefix=prefix, digits=digits)).number(number), *more)
