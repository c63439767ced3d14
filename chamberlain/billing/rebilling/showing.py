"""What a rebill changes, old against new, as the page shows it and as it is kept: plain values."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from chamberlain.billing.rebilling.limits import Change
from chamberlain.billing.rebilling.recomputing import Recomputed
from chamberlain.kernel.money import show_cents

Shown = list[dict[str, Any]]
_FIGURES = ("cents", "quantity_thousandths", "rate_micros", "days", "unit")


def shown(found: Recomputed, labels: Mapping[int, str], accounts: Mapping[int, str]) -> Shown:
    """One item for each bill that changes, by its first day.

    labels: of printed lines by component id. accounts: numbers by id. An item has account,
    number ("" when it was not billed before), old and new (each from_on, to_on, usage and cents,
    or null) and lines: label, old, new (each cents, quantity, rate, days, unit, or null).
    """
    old = {row["old_id"]: row for row in found.old.iter_rows(named=True)}
    new = {row["row"]: row for row in found.new.iter_rows(named=True)}
    old_lines = _by(found.old_lines, "old_id")
    new_lines = _by(found.lines, "row")
    items = []
    for old_id, row in found.pairs.iter_rows():
        was, now = old.get(old_id), new.get(row)
        lines, lines_now = old_lines.get(old_id, []), new_lines.get(row, [])
        total = sum(line["cents"] for line in lines_now)
        items.append(
            {
                "account": accounts[(was or now or {})["account_id"]],
                "number": was["number"] if was else "",
                "old": was and {**_days(was), "cents": was["total_cents"]},
                "new": now and {**_days(now), "cents": total},
                "lines": _lines(lines, lines_now, labels),
            }
        )
    return sorted(items, key=lambda item: (_side(item)["from_on"], item["account"]))


def _by(frame: pl.DataFrame, key: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row[key], []).append(row)
    return found


def _days(row: Mapping[str, Any]) -> dict[str, str]:
    return {"from_on": row["from_on"].isoformat(), "to_on": row["to_on"].isoformat()}


def _side(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(item["new"] or item["old"])


def _lines(
    old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]], labels: Mapping[int, str]
) -> list[dict[str, Any]]:
    was = {line["component_id"]: line for line in old}
    now = {line["component_id"]: line for line in new}
    return [
        {
            "label": labels[component],
            "old": _figures(was.get(component)),
            "new": _figures(now.get(component)),
        }
        for component in [*now, *(each for each in was if each not in now)]
    ]


def _figures(line: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if line is None else {name: line[name] for name in _FIGURES}


def changes(items: Shown) -> list[Change]:
    """What each bill changes by."""
    return [
        Change(item["number"], date.fromisoformat(_side(item)["to_on"]), change_cents(item))
        for item in items
    ]


def change_cents(item: Mapping[str, Any]) -> int:
    """What one bill changes by: what it will be less what it was."""
    new, old = item["new"], item["old"]
    return (new["cents"] if new else 0) - (old["cents"] if old else 0)


def digest(items: Shown) -> str:
    """SHA-256 of what is shown, in hexadecimal."""
    return hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()


def told_apart(then: Shown, now: Shown, replaced: Mapping[str, tuple[str, int]]) -> str:
    """What changed between two looks, in words; "" when nothing did.

    replaced: by the number of a bill that has been replaced, its replacement's number and cents.
    """
    before = {_key(item): item for item in then}
    after = {_key(item): item for item in now}
    said = []
    for key, item in before.items():
        other, number = after.get(key), item["number"] or "the new bill"
        if item["number"] in replaced:
            by, cents = replaced[item["number"]]
            said.append(f"bill {number} was replaced by {by} over {show_cents(cents)}")
        elif other is None:
            said.append(f"bill {number} does not change any more")
        elif other != item:
            cents, cents_now = change_cents(item), change_cents(other)
            said.append(
                f"bill {number} changes by {show_cents(cents_now)} instead of {show_cents(cents)}"
            )
    said += [
        f"bill {item['number'] or 'for days not billed before'} changes too, "
        f"by {show_cents(change_cents(item))}"
        for key, item in after.items()
        if key not in before
    ]
    return "; ".join(said[:4]) + ("; and more" if len(said) > 4 else "")


def _key(item: Mapping[str, Any]) -> tuple[str, str, str]:
    return (item["account"], item["number"], "" if item["number"] else _side(item)["from_on"])
