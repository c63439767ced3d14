"""A city's files are checked to the end, loaded whole or not at all, and again without harm."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from chamberlain.cashiering.models import Till
from chamberlain.cities import schema
from chamberlain.cities.loading import CITIES, city_folder, load_city
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Center, Role
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import BadFile, Invalid, NotFound, NotPermitted
from chamberlain.ledger import chart
from chamberlain.registry.models import PropertyType
from chamberlain.revenue.models import Fee, FeePrice
from chamberlain.revenue.queries import prices
from chamberlain.tariffs.models import Tariff
from tests.office import NOW, make_actor

CHICAGO = CITIES / "chicago"
DOCS = Path(__file__).parents[2] / "docs" / "city-files.md"


@pytest.fixture
def folder(tmp_path):
    """A copy of Chicago's files that a test may spoil."""
    copied = tmp_path / "chicago"
    shutil.copytree(CHICAGO, copied)
    return copied


def spoil(folder, name, change):
    path = folder / name
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))


def faults(folder):
    with pytest.raises(BadFile) as refused:
        read_city(folder)
    return [str(record) for record in refused.value.records]


@pytest.mark.parametrize("city", ["chicago", "santa_monica"])
def test_the_cities_that_come_with_the_program_are_sound(city):
    assert read_city(city_folder(city)).city.name.startswith("City of")


def test_a_city_that_does_not_come_with_the_program_is_not_found():
    with pytest.raises(NotFound, match="chicago, santa_monica"):
        city_folder("../chicago")


@pytest.mark.django_db
def test_chicago_is_loaded_with_its_centers_tills_fees_and_tariffs():
    loaded = load_city(program_actor(), CHICAGO, NOW)
    assert (loaded.name, loaded.centers, loaded.tariffs) == ("City of Chicago", 6, 2)
    assert revenue_office().code == "REV"
    assert Till.objects.filter(center__code="CH").count() == 4
    assert chart.ledger_account_id(chart.till_code("S95", "cash"))
    assert {"water", "citation", "sticker"} <= set(chart.charge_kinds())
    assert Tariff.objects.filter(code="chicago-metered").exists()
    sticker = [row for row in prices() if row.code == "sticker.P"]
    assert [(row.starts_on, row.cents) for row in sticker][-1] == (date(2024, 2, 1), 10_017)


@pytest.mark.django_db
def test_what_nobody_verified_is_named_with_its_source():
    loaded = load_city(program_actor(), CHICAGO, NOW)
    assert any(text.startswith("Expired meter") and "legalclarity" in text
               for text in loaded.unverified)  # fmt: skip
    assert not any("no city sticker" in text.lower() for text in loaded.unverified)
    assert any(text.startswith("Drawer") for text in loaded.unverified)


@pytest.mark.django_db
def test_loading_twice_changes_nothing():
    load_city(program_actor(), CHICAGO, NOW)
    before = [model.objects.count() for model in (Center, Till, PropertyType, Fee, FeePrice)]
    load_city(program_actor(), CHICAGO, NOW)
    after = [model.objects.count() for model in (Center, Till, PropertyType, Fee, FeePrice)]
    assert before == after


@pytest.mark.django_db
def test_both_cities_stand_in_one_database_and_the_first_keeps_the_revenue_office():
    load_city(program_actor(), CHICAGO, NOW)
    load_city(program_actor(), CITIES / "santa_monica", NOW)
    assert revenue_office().code == "REV"
    assert Center.objects.filter(code="SM", kind="revenue_office").exists()


@pytest.mark.django_db
def test_only_an_administrator_loads_a_city():
    with pytest.raises(NotPermitted):
        load_city(make_actor("clara", Role.CLERK), CHICAGO, NOW)


@pytest.mark.django_db
def test_a_city_with_a_fault_is_not_loaded_at_all(folder):
    spoil(folder, "fees.yaml", lambda c: c["fees"][0].update(kind="gift"))
    with pytest.raises(BadFile):
        load_city(program_actor(), folder, NOW)
    assert not Center.objects.exists()


def test_every_fault_of_every_file_is_listed_with_its_place(folder):
    spoil(folder, "city.yaml", lambda c: c.update(time_zone="Chicago", mayor="x"))
    spoil(folder, "city.yaml", lambda c: c["charge_kinds"][0].update(priority=0))
    spoil(folder, "fees.yaml", lambda c: c["fees"][1]["prices"][0].update(amount=50.0))
    spoil(folder, "policies.yaml", lambda c: c["late_payment"].update(percent_per_month="101"))
    found = faults(folder)
    assert len(found) == 5
    for place in (
        "city.yaml time_zone: “Chicago” is not a time zone",
        "city.yaml mayor",
        "city.yaml charge_kinds.0.priority",
        "fees.yaml fees.1.prices.0.amount: write the amount in quotes",
        "policies.yaml late_payment.percent_per_month: “101” is not a percent",
    ):
        assert any(text.startswith(place) for text in found), place


@pytest.mark.parametrize("amount", ["x", "1.234", "-1", "0", "Infinity", "NaN", "1e30", True, None])
def test_an_amount_is_positive_dollars_and_cents(folder, amount):
    spoil(folder, "fees.yaml", lambda c: c["fees"][0]["prices"][0].update(amount=amount))
    assert len(faults(folder)) == 1


@pytest.mark.parametrize("times", [0, 2])
def test_a_fee_has_one_price_from_each_day(folder, times):
    spoil(folder, "fees.yaml", lambda c: c["fees"][0].update(prices=c["fees"][0]["prices"] * times))
    assert "one price" in faults(folder)[0]


@pytest.mark.parametrize("percent", ["x", "-1", "NaN", 1.25])
def test_a_percent_is_a_text_from_0_to_100(folder, percent):
    spoil(folder, "policies.yaml", lambda c: c["late_payment"].update(percent_per_month=percent))
    assert len(faults(folder)) == 1


@pytest.mark.parametrize("field", ["centers", "property_types", "charge_kinds"])
def test_a_code_stands_once(folder, field):
    spoil(folder, "city.yaml", lambda c: c[field].append(c[field][1]))
    assert "more than once" in faults(folder)[0]


def test_one_center_is_the_revenue_office(folder):
    spoil(folder, "city.yaml", lambda c: c["centers"].pop(0))
    assert "revenue office" in faults(folder)[0]


def test_a_fee_names_a_kind_of_charge_of_the_city(folder):
    spoil(folder, "fees.yaml", lambda c: c["fees"][0].update(charge_kind="parking"))
    assert faults(folder) == ["fees.yaml fees.0.charge_kind: city.yaml has no parking"]


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: &a *b", "- 1\n- 2", "", "just words"])
def test_what_is_no_yaml_mapping_is_said_with_its_place(folder, text):
    (folder / "city.yaml").write_text(text)
    assert faults(folder)[0].startswith("city.yaml")


def test_a_folder_needs_its_city_file_and_may_leave_out_the_others(folder):
    (folder / "policies.yaml").unlink()
    (folder / "fees.yaml").unlink()
    assert read_city(folder).fees.fees == ()
    (folder / "city.yaml").unlink()
    assert faults(folder) == ["city.yaml: the file is missing"]


def test_a_file_larger_than_any_citys_is_not_read(folder):
    (folder / "fees.yaml").write_bytes(b"#" * (schema.LARGEST_FILE_BYTES + 1))
    with pytest.raises(Invalid, match="larger"):
        read_city(folder)


def test_every_field_of_the_schema_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    for model in schema.Strict.__subclasses__():
        if model is schema.City:
            continue
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}`" in text, f"{model.__name__}.{name}"


def test_a_reason_of_true_ups_that_rebilling_does_not_have_is_a_fault(tmp_path):
    for file in city_folder("chicago").iterdir():
        if file.suffix == ".yaml":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    reads = tmp_path / "reads.yaml"
    reads.write_text(reads.read_text().replace("estimates_trued_up", "no_such_reason"))
    with pytest.raises(BadFile, match=r"rebilling\.yaml has no no_such_reason"):
        read_city(tmp_path)


def test_a_cycle_of_reads_appears_once(tmp_path):
    for file in city_folder("chicago").iterdir():
        if file.suffix == ".yaml":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    reads = tmp_path / "reads.yaml"
    reads.write_text(reads.read_text().replace("code: bimonthly", "code: monthly"))
    with pytest.raises(BadFile, match="more than once"):
        read_city(tmp_path)
