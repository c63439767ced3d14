"""What a run keeps back because it cannot be right."""

from datetime import date

import polars as pl
import pytest

from chamberlain.billing.holds import implausible


def _held(usage: int, *, usual: int | None, verified: bool = False) -> list[str]:
    frame = pl.DataFrame(
        {
            "row": [0],
            "from_on": [date(2026, 1, 1)],
            "to_on": [date(2026, 1, 11)],
            "usage_thousandths": [usage],
            "is_verified": [verified],
            "normal_daily_thousandths": [usual],
        },
        schema_overrides={"normal_daily_thousandths": pl.Int64},
    )
    return implausible(frame)["code"].to_list()


@pytest.mark.parametrize(
    ("usage", "usual", "verified", "held"),
    [
        (20_000, 100, False, []),
        (20_001, 100, False, ["absurd_usage"]),
        (20_001, 100, True, []),
        (20_001, None, False, []),
        (20_001, 0, False, []),
        (-1, 100, True, ["negative_usage"]),
        (0, 100, False, []),
    ],
)
def test_usage_beyond_twenty_times_the_usual_is_held_unless_verified(
    usage: int, usual: int | None, verified: bool, held: list[str]
):
    assert _held(usage, usual=usual, verified=verified) == held
