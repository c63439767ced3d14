"""The thresholds of the watch are the city's, checked with its other files."""

import shutil

import pytest
import yaml

from chamberlain.cities.loading import CITIES, load_city
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import BadFile
from chamberlain.metering.watching import rules
from chamberlain.metering.watching.terms import resolutions, terms_on
from tests.office import DAY, NOW

CHICAGO = CITIES / "chicago"


@pytest.fixture
def folder(tmp_path):
    copied = tmp_path / "chicago"
    shutil.copytree(CHICAGO, copied)
    return copied


def faults(folder, change):
    path = folder / "watching.yaml"
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(BadFile) as refused:
        read_city(folder)
    return [str(record) for record in refused.value.records]


@pytest.mark.django_db
def test_chicago_watches_by_all_rules_and_marks_its_thresholds_as_unverified():
    loaded = load_city(program_actor(), CHICAGO, NOW)
    found = terms_on(DAY)
    assert {rule.code for rule in found.rules} == {*rules.RULES, "leak"}
    high = next(rule for rule in found.rules if rule.code == "high")
    assert high.holds_bill
    assert set(high.figures) == {
        "percent_of_last_year", "percent_of_usual", "percent_of_class", "least_more_gallons",
    }  # fmt: skip
    assert any(each.verifies_reads for each in resolutions())
    assert any(text.startswith("Watching usage: rules from 2010") for text in loaded.unverified)


def test_a_rule_names_property_types_of_the_city(folder):
    found = faults(folder, lambda c: c["watching"][0]["zero"].update(except_types=["castle"]))
    assert found == ["watching.yaml watching.0.zero.except_types: city.yaml has no castle"]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["resolutions"].append(c["resolutions"][0]),
        lambda c: c["watching"].append(c["watching"][0]),
        lambda c: c.update(resolutions=[]),
        lambda c: c["watching"][0]["high"].update(severity=4),
        lambda c: c["watching"][0]["stopped"].update(reads=1),
        lambda c: c["watching"][0].update(spike={}),
    ],
)
def test_a_faulty_file_is_refused_with_one_fault(folder, change):
    assert len(faults(folder, change)) == 1


def test_a_city_may_watch_nothing(folder):
    (folder / "watching.yaml").unlink()
    assert read_city(folder).watching.watching == ()
