"""What was found, said in one sentence with its figures."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

_TENTHS_BELOW = 10_000


def gallons(thousandths: int) -> str:
    """Thousandths of a gallon as `1,210 gallons`; below ten, with a tenth."""
    if abs(thousandths) < _TENTHS_BELOW and thousandths % 1000:
        tenths = (thousandths + 50) // 100
        return f"{tenths / 10:,.1f} gallons".replace("-", "−")
    whole = (thousandths + 500) // 1000
    return f"{whole:,} gallon{'' if whole == 1 else 's'}".replace("-", "−")


def sentence(row: Mapping[str, Any]) -> str:
    """One sentence about a row of `rules.found`."""
    return _SENTENCES[row["rule"]](row)


def _high(row: Mapping[str, Any]) -> str:
    return f"{_daily(row['daily'])} against {_against(row)}."


def _low(row: Mapping[str, Any]) -> str:
    return f"Only {_daily(row['daily'])} against {_against(row)}."


def _against(row: Mapping[str, Any]) -> str:
    known = []
    if row["last_year"] is not None:
        known.append(f"{_number(row['last_year'])} in the same period of last year")
    if row["usual"] is not None:
        known.append(f"{_number(row['usual'])} usually")
    if not known:
        return f"{_number(row['class_usual'])} that properties of its class use"
    return " and ".join(known)


def _zero(row: Mapping[str, Any]) -> str:
    before = row["daily_before"]
    was = f"; it was {_daily(before)} before" if before is not None else ""
    return f"No usage in {row['days']} days, though somebody holds the account{was}."


def _reversed(row: Mapping[str, Any]) -> str:
    if row["register"] is None or row["register_before"] is None:
        return f"The usage is below zero: {_daily(row['daily'])} over {row['days']} days."
    return (
        f"The register shows {row['register']:,} after {row['register_before']:,}, which no "
        "rollover explains."
    )


def _stopped(row: Mapping[str, Any]) -> str:
    return (
        f"No usage in {row['zero_reads']} reads in a row ({row['zero_days']} days), after "
        f"{_daily(row['daily_before'])} before."
    )


def _estimated(row: Mapping[str, Any]) -> str:
    return (
        f"{row['estimates']} estimates in a row: nobody has read the meter since "
        f"{_day(row['estimated_since'])}."
    )


def _leak(row: Mapping[str, Any]) -> str:
    least, most = row["least"], row["most"]
    flow = _number(least) if _number(least) == _number(most) else _number(least, most)
    return (
        f"A steady {flow} gallons a day until {_day(row['to_on'] - timedelta(days=1))}, after "
        f"{_number(row['compared'])} usually."
    )


def _number(*thousandths: int) -> str:
    return " to ".join(gallons(each).rsplit(" ", 1)[0] for each in thousandths)


def _daily(thousandths: int) -> str:
    return f"{gallons(thousandths)} a day"


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


_SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "high": _high,
    "low": _low,
    "zero": _zero,
    "reversed": _reversed,
    "stopped": _stopped,
    "estimated": _estimated,
    "leak": _leak,
}
