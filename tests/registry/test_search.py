"""A caller is found by whatever they say, also when it is typed with an error."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import Invalid
from chamberlain.registry import operations, queries
from chamberlain.registry.bulk import COLUMNS, register_many
from chamberlain.registry.models import PropertyType
from chamberlain.registry.search import search, search_to_pay
from chamberlain.registry.spelling import edits, number_variants
from tests.web import scenes

HOUSEHOLDS = """
SM-025886 | Rosa Muñoz        | 3125550143 | 14-20-100-001-0000 | 4415 N Kedzie Ave
SM-025887 | Siobhán O'Brien   | 7735550188 | 14-20-100-002-0000 | 4415 S Kedzie Ave
SM-031000 | Małgorzata Wójcik |            | 17-09-200-010-0000 | 121 N LaSalle St
SM-031001 | Heritage Bakery   | 8725550101 | 17-09-200-011-0000 | 9326 W Irving Park Rd
"""


def households() -> pl.DataFrame:
    rows = [[part.strip() for part in line.split("|")] for line in HOUSEHOLDS.strip().splitlines()]
    return pl.DataFrame(
        [
            {
                "number": number, "opened_on": date(2020, 1, 1), "kind": "person", "name": name,
                "phone": phone or None, "email": None, "parcel_number": parcel,
                "address": address, "postal_code": "60601", "property_type": "house",
                "dwelling_units": 1,
            }
            for number, name, phone, parcel, address in rows
        ],
        schema=COLUMNS,
    )  # fmt: skip


@pytest.fixture
def city(db):
    PropertyType.objects.create(code="house", name="House")
    return register_many(program_actor(), households())


def numbers(text: str) -> list[str]:
    return [found.account_number for found in search(text)]


@pytest.mark.parametrize(
    ("typed", "number", "matched"),
    [
        ("SM-025886", "SM-025886", "account"),
        ("sm-025886", "SM-025886", "account"),
        ("25886", "SM-025886", "account"),
        ("25868", "SM-025886", "account"),
        ("(312) 555-0143", "SM-025886", "phone"),
        ("1 773 555 0188", "SM-025887", "phone"),
        ("555-0188", "SM-025887", "phone"),
        ("312555143", "SM-025886", "phone"),
        ("17-09-200-010-0000", "SM-031000", "parcel"),
        ("1709200011", "SM-031001", "parcel"),
        ("rosa munoz", "SM-025886", "name"),
        ("Rosa Muños", "SM-025886", "name"),
        ("munoz", "SM-025886", "name"),
        ("siobhan obrien", "SM-025887", "name"),
        ("Siobhan O’Brien", "SM-025887", "name"),
        ("Malgorzata Wojcik", "SM-031000", "name"),
        ("heritage baker", "SM-031001", "name"),
        ("4415 s kedzie", "SM-025887", "address"),
        ("121 LaSale", "SM-031000", "address"),
        ("9326 irving prak", "SM-031001", "address"),
    ],
)
def test_an_account_is_found_by(city, typed, number, matched):
    found = next(f for f in search(typed) if f.account_number == number)
    assert found.matched == matched


def test_an_account_number_finds_that_account_first(city):
    assert numbers("SM-0258")[:2] == ["SM-025886", "SM-025887"]
    assert numbers("SM-025887")[0] == "SM-025887"


@pytest.mark.parametrize(
    "typed", ["", "   ", "\x00", "%", "_", "'", "\\", "a", "99999999", "zzzzz", "' | ''", "–" * 500]
)
def test_what_fits_nobody_finds_nobody_and_breaks_nothing(city, typed):
    assert search(typed) == []


def test_a_word_that_is_a_name_and_a_street_finds_both(city):
    operations.rename_customer(program_actor(), city["customer_id"][2], "Rosa Kedzie")
    found = {f.account_number: f.matched for f in search("kedzie")}
    assert found == {"SM-031000": "name", "SM-025886": "address", "SM-025887": "address"}


def test_a_list_is_never_longer_than_asked(city):
    assert len(search("kedzie", limit=1)) == 1
    assert len(search("kedzie", limit=10_000)) == 2


def test_the_latest_holder_is_shown_also_when_an_earlier_one_is_named(city):
    actor = program_actor()
    account = city["account_id"][0]
    piotr = operations.register_customer(actor, "person", "Piotr Nowak")
    operations.change_holder(actor, account, piotr, date(2026, 1, 1))
    assert [f.customer_name for f in search("Rosa Munoz")] == ["Piotr Nowak"]
    assert numbers("Piotr Nowak") == ["SM-025886"]


def test_a_city_registered_at_once_has_its_history_as_the_importers(city):
    found = queries.changes(city["account_id"][0], unmasked=True)
    assert ("customer", "name", "Rosa Muñoz", "Chamberlain") in [
        (c.what, c.field, c.new, c.who) for c in found
    ]
    assert {c.what for c in found} == {"account holder", "customer", "contact", "property", "owner"}


def test_a_change_after_the_import_knows_what_was_before(city):
    operations.rename_customer(program_actor(), city["customer_id"][0], "Rosa Reyes")
    change = next(c for c in queries.changes(city["account_id"][0]) if c.field == "name")
    assert (change.old, change.new) == ("Rosa Muñoz", "Rosa Reyes")


def test_an_import_with_a_repeated_number_or_an_unknown_type_registers_nobody(db):
    PropertyType.objects.create(code="house", name="House")
    twice = pl.concat([households(), households().head(1)])
    with pytest.raises(Invalid, match="appears 2 times"):
        register_many(program_actor(), twice)
    castle = households().with_columns(property_type=pl.lit("castle"))
    with pytest.raises(Invalid, match="castle"):
        register_many(program_actor(), castle)
    assert search("Rosa Munoz") == []


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_edits_are_symmetric_and_nothing_only_for_the_same_word(first, second):
    assert edits(first, second) == edits(second, first)
    assert (edits(first, second) == 0) is (first == second)
    assert edits(first, second) <= max(len(first), len(second))


@given(st.from_regex(r"[0-9]{1,8}", fullmatch=True))
def test_the_variants_of_a_number_are_exactly_those_one_error_away(digits):
    variants = number_variants(digits)
    assert all(edits(digits, variant) == 1 for variant in variants)
    assert digits + "7" in variants
    assert digits[1:] in variants


def named(*names: str) -> pl.DataFrame:
    one = households().head(1)
    return pl.concat(
        one.with_columns(
            number=pl.lit(f"SM-04000{i}"),
            name=pl.lit(name),
            parcel_number=pl.lit(f"17-09-300-01{i}-0000"),
            address=pl.lit(f"{10 + i} E Oak St"),
        )
        for i, name in enumerate(names)
    )


def test_a_cashier_sees_first_who_fits_exactly_and_of_them_who_owes(db):
    scenes.furnished_office("Zoe Kowalski")
    register_many(program_actor(), named("Ana Kowalski", "Bea Kowalski", "Cy Kowalskis"))
    found = search_to_pay("kowalski", 3)
    assert [row.account_number for row in found.shown] == ["1004220817", "SM-040000", "SM-040001"]
    assert found.more == 1
    assert not found.is_cut


def test_the_very_number_stands_first_for_a_cashier(city):
    found = search_to_pay("SM-025887", 8)
    assert found.shown[0].account_number == "SM-025887"
    assert found.more == 0
    assert search_to_pay("", 8).shown == []
