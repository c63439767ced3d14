"""The demonstration says whether every figure is the expected one."""

from chamberlain.cities.comparing import Compared, Expected, compare, expected_of

EXPECTED = Expected({"HOUSE": (2, 700), "SHOP": (1, 90)}, {"OTHER": 3})


def test_santa_monicas_expected_classes_add_up_to_the_published_totals() -> None:
    expected = expected_of("santa_monica")
    assert sum(bills for bills, _ in expected.billed.values()) == 217_256
    assert sum(cents for _, cents in expected.billed.values()) == 7_659_850_741
    assert expected.held == {"OTHER": 811}


def test_figures_that_agree_agree() -> None:
    rows = compare(EXPECTED, [("HOUSE", 2, 700), ("SHOP", 1, 90)], [("class", "OTHER", 3)])
    assert all(row.agrees for row in rows)
    assert rows[:2] == [
        Compared("All classes", "bills", 3, 3),
        Compared("All classes", "cents", 790, 790),
    ]


def test_a_cent_too_few_is_named_in_its_class_and_in_the_total() -> None:
    rows = compare(EXPECTED, [("HOUSE", 2, 699), ("SHOP", 1, 90)], [("class", "OTHER", 3)])
    assert [row.name for row in rows if not row.agrees] == ["All classes", "HOUSE"]


def test_a_missing_class_and_one_that_nobody_expected_differ() -> None:
    rows = compare(EXPECTED, [("HOUSE", 2, 700), ("SHED", 1, 90)], [("read", "HOUSE", 1)])
    differing = [(row.name, row.kind) for row in rows if not row.agrees]
    assert differing == [
        ("SHOP", "bills"),
        ("SHOP", "cents"),
        ("SHED", "bills"),
        ("SHED", "cents"),
        ("OTHER", "held"),
        ("HOUSE", "held"),
    ]
