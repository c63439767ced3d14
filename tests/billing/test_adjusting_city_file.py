"""The city's reasons for adjusting and its late policy are checked and loaded with the city."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from chamberlain.billing.adjusting.kinds import KINDS
from chamberlain.billing.adjusting.models import AdjustmentReason
from chamberlain.billing.adjusting.reasons import reasons_on
from chamberlain.billing.penalties.policy import policy_on
from chamberlain.cities.loading import CITIES, load_city
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import BadFile
from chamberlain.ledger import chart
from tests.office import DAY, NOW

CHICAGO = CITIES / "chicago"


@pytest.mark.django_db
def test_chicago_has_a_reason_for_each_kind_and_the_late_policy_of_its_code() -> None:
    loaded = load_city(program_actor(), CHICAGO, NOW)
    assert {reason.kind for reason in reasons_on(DAY)} == set(KINDS)
    assert any(text.startswith("Hidden leak, repaired") for text in loaded.unverified)
    late = policy_on(DAY)
    assert (late.rate_micros, late.grace_days, late.exempt) == (12_500, 24, ("senior",))
    assert "11-12-420" in late.source
    assert chart.ledger_account_id(chart.adjustment_code("write_off"))
    before = AdjustmentReason.objects.count()
    load_city(program_actor(), CHICAGO, NOW)
    assert AdjustmentReason.objects.count() == before


def _twice(content: Any) -> None:
    content["reasons"].append(dict(content["reasons"][0]))


def _unknown_kind_of_charge(content: Any) -> None:
    content["reasons"][0]["charge_kinds"] = ["steam"]


def _unknown_kind(content: Any) -> None:
    content["reasons"][0]["kind"] = "gift"


def _ends_before_it_starts(content: Any) -> None:
    content["reasons"][0]["until"] = date(2000, 1, 1)


def _steps_fall(content: Any) -> None:
    content["reasons"][0]["approvals"].reverse()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_twice, "begins twice on the same day"),
        (_unknown_kind_of_charge, "city.yaml has no steam"),
        (_unknown_kind, "reasons.0.kind"),
        (_ends_before_it_starts, "give a day after the first"),
        (_steps_fall, "each step goes up to a larger amount"),
    ],
)
def test_a_fault_in_the_reasons_is_named_with_its_place(
    tmp_path: Path, spoil: Callable[[Any], None], says: str
) -> None:
    folder = tmp_path / "chicago"
    shutil.copytree(CHICAGO, folder)
    path = folder / "adjustments.yaml"
    content = yaml.safe_load(path.read_text())
    spoil(content)
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(BadFile) as refused:
        read_city(folder)
    assert says in "\n".join(map(str, refused.value.records))


@pytest.mark.parametrize("field", ["charge_kinds", "penalty_kind"])
def test_the_late_policy_names_kinds_of_charges_of_the_city(tmp_path: Path, field: str) -> None:
    folder = tmp_path / "chicago"
    shutil.copytree(CHICAGO, folder)
    path = folder / "policies.yaml"
    content = yaml.safe_load(path.read_text())
    content["late_payment"][field] = ["steam"] if field == "charge_kinds" else "steam"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(BadFile, match="has no steam"):
        read_city(folder)
