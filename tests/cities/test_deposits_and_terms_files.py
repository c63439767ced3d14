"""The city's files of deposits and of terms by property type: loaded, marked, faults said."""

from pathlib import Path

import pytest
import yaml

from chamberlain.billing.deposits.models import DepositRate
from chamberlain.billing.deposits.terms import terms_on
from chamberlain.billing.property_terms.models import PropertyTerms
from chamberlain.cities.loading import city_folder, load_city
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import BadFile
from chamberlain.ledger import chart
from chamberlain.tariffs.models import Tariff
from tests.office import DAY, NOW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in city_folder("chicago").iterdir():
        if file.suffix == ".yaml":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def change(folder: Path, name: str, before: str, after: str) -> None:
    file = folder / name
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))


def fault(folder: Path) -> str:
    with pytest.raises(BadFile) as refused:
        read_city(folder)
    return str(refused.value.records[0])


@pytest.mark.django_db
def test_chicagos_terms_are_loaded_and_loading_again_changes_nothing() -> None:
    chart.forget()
    for _ in range(2):
        loaded = load_city(program_actor(), city_folder("chicago"), NOW)
    terms = terms_on(DAY)
    assert terms.release_months == 12
    assert [each.cents for each in terms.requirements] == [0, 40_000, 20_000, 7_500]
    assert DepositRate.objects.count() == 2
    assert chart.charge_kinds()[chart.DEPOSIT_KIND].priority == 16
    assert any("Deposits: terms" in each for each in loaded.unverified)
    assert any("Terms of single_family" in each for each in loaded.unverified)
    named = PropertyTerms.objects.exclude(metered_tariff="").values_list(
        "metered_tariff", flat=True
    )
    known = Tariff.objects.values_list("code", flat=True)
    assert set(named) <= set(known)
    assert PropertyTerms.objects.count() == 10


def test_a_deposit_names_types_of_the_city(folder: Path) -> None:
    change(folder, "deposits.yaml", "vacant", "castle")
    assert fault(folder) == "deposits.yaml deposits.0.requirements.0: city.yaml has no castle"


def test_rates_of_interest_begin_on_days_of_their_own(folder: Path) -> None:
    change(folder, "deposits.yaml", "2024-01-01", "2010-01-01")
    assert "begin on the same day" in fault(folder)


def test_a_rate_of_interest_has_at_most_four_decimals(folder: Path) -> None:
    change(folder, "deposits.yaml", '"1.25"', '"1.25001"')
    assert "at most four decimals" in fault(folder)


def test_terms_name_types_of_the_city(folder: Path) -> None:
    change(folder, "property_terms.yaml", "two_flat", "castle")
    assert fault(folder) == "property_terms.yaml property_terms.0: city.yaml has no castle"


def test_a_type_has_one_row_for_the_same_units(folder: Path) -> None:
    change(folder, "property_terms.yaml", "institutional, industrial", "two_flat")
    assert "two_flat: the same units appear twice" in fault(folder)


def test_a_range_of_units_goes_up(folder: Path) -> None:
    rows = yaml.safe_load((folder / "property_terms.yaml").read_text())
    rows["property_terms"][0].update(least_units=5, most_units=4)
    (folder / "property_terms.yaml").write_text(yaml.safe_dump(rows))
    assert "most_units is less than least_units" in fault(folder)


def test_a_city_may_have_neither_file(folder: Path) -> None:
    (folder / "deposits.yaml").unlink()
    (folder / "property_terms.yaml").unlink()
    city = read_city(folder)
    assert city.deposits.deposits == ()
    assert city.property_terms.terms() == []
