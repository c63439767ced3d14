"""Bank statements in BAI2: what is read, and what is named as bad with its line."""

from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.kernel.errors import BadFile, Invalid, Refused
from chamberlain.reconciliation.files import bai2
from chamberlain.reconciliation.files.account_days import AccountDay
from tests.reconciliation.bank import Line, statement

DATA = Path(__file__).parents[1] / "data" / "bank"


def sample(name: str) -> bytes:
    return next(DATA.glob(f"*{name}*")).read_bytes()


def replaced(content: bytes, old: str, new: str) -> bytes:
    assert old.encode() in content
    return content.replace(old.encode(), new.encode(), 1)


def moved(day: AccountDay) -> list[SimpleNamespace]:
    return [SimpleNamespace(**row) for row in day.movements.iter_rows(named=True)]


def places(content: bytes) -> dict[str, str]:
    with pytest.raises(BadFile) as refused:
        bai2.read(content)
    found: dict[str, str] = {}
    for record in refused.value.records:
        found[record.place] = f"{found.get(record.place, '')} {record.reason}".strip()
    return found


def test_a_statement_with_one_credit_and_its_continuations_is_read():
    [day] = bai2.read(sample("citi")).days
    [movement] = moved(day)
    assert (day.account_number, day.currency, str(day.as_of)) == ("77777777", "GBP", "2015-07-15")
    assert (day.opening_cents, day.closing_cents) == (10000, 10000)
    assert (movement.cents, movement.type_code, movement.line) == (1, "191", 4)
    assert (movement.bank_reference, movement.customer_reference) == (
        "1234567890",
        "RP12312312312312",
    )
    assert movement.text.startswith("FR:FP SIP INCOMING ENDT:20150715")


def test_debits_are_negative_and_lead_from_the_opening_to_the_closing_balance():
    file = bai2.read(sample("nwb"))
    [day] = file.days
    assert [m.cents for m in moved(day)] == [-971, -100, -123, -1571, 89]
    assert day.opening_cents + sum(m.cents for m in moved(day)) == day.closing_cents
    assert file.differences == ()
    assert file.sender == "NWBKGB2L"


def test_a_bank_that_sends_continuations_its_own_way_is_read_and_held_to_its_totals():
    file = bai2.read(sample("issue113"))
    assert [len(day.movements) for day in file.days] == [0, 3, 17, 0, 0]
    assert moved(file.days[2])[-1].text.startswith("Interest,Interest For Account")
    assert "EREF: 07370568132" in next(
        m.text for m in moved(file.days[2]) if m.bank_reference == "SC2134800001999"
    )
    assert [d.place for d in file.differences] == [
        *["line 22"] * 2,
        *["line 118"] * 2,
        *["line 123"] * 3,
        "line 124",
    ]
    assert "26 records, but there are 18" in str(file.differences[1])


@pytest.mark.parametrize("counts", [True, False])
def test_records_are_counted_with_or_without_continuations(counts):
    line = Line(500, text="BAG 7", continuations=("MORE", "AND MORE"))
    file = bai2.read(statement(line, counts_continuations=counts))
    assert file.differences == ()
    assert moved(file.days[0])[0].text == "BAG 7,MORE AND MORE"


def test_blanks_blank_lines_and_a_colon_for_a_comma_are_mended():
    content = statement(Line(500, text="BAG", continuations=("X",)))
    content = replaced(content, "88,X", "88:X").replace(b"\n", b" \r\n\r\n")
    assert moved(bai2.read(content).days[0])[0].text == "BAG,X"


@pytest.mark.parametrize(("code", "cents"), [("921", None), ("398", 500), ("619", -500)])
def test_a_banks_own_type_codes_are_read_when_their_sign_is_known(code, cents):
    content = replaced(statement(Line(500)), "16,301", f"16,{code}")
    if cents is None:
        assert "neither a credit nor a debit" in places(content)["line 4"]
    else:
        assert moved(bai2.read(content).days[0])[0].cents == cents


def test_a_value_date_is_the_movements_day():
    content = replaced(statement(Line(500)), "16,301,500,,", "16,301,500,V,260305,,")
    assert str(moved(bai2.read(content).days[0])[0].value_on) == "2026-03-05"


def test_a_movement_of_nothing_is_left_out():
    assert moved(bai2.read(statement(Line(0, text="INFORMATION"))).days[0]) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("16,301,500", "16,301,5_0", 4, "“5_0” is not a whole number"),
        ("16,301,500", "16,301,5.00", 4, "“5.00” is not a whole number"),
        ("16,301,500", "16,301,-500", 4, "its type code says the sign"),
        ("16,301", "16,3x1", 4, "Type code '3x1'"),
        ("16,301", "16,", 4, "without type code"),
        ("16,301,500,,", "16,301,500,Q,", 4, "missing or malformed"),
        ("16,301,500,,", "16,301,500,V,261399,,", 4, "missing or malformed"),
        ("16,301,500,,", "16,301,500,," + "R" * 81, 4, "more than 80 characters"),
        ("03,1234567890", "03,", 3, "without its number"),
        (",010,300", ",010,3_0", 3, "“3_0” is not a whole number"),
        (",010,", ",,", 3, "amount without type code"),
        ("1,260302,2359", "1,,2359", 2, "group header (02) without its date"),
        ("1,260302,2359", "9,260302,2359", 2, "missing or malformed"),
        ("CITY,260302", "CITY,", 1, "file header (01) without its date"),
        ("1,,,2/", "1,,,3/", 1, "version 2"),
        ("49,1600,3/", "49,1600,/", 5, "without its number of records"),
        ("49,1600,3/", "49,1600/", 5, "missing or malformed"),
        ("49,1600,3/", "50,1600,3/", 5, "“50,1600,3/” is no record"),
        ("16,301", "1603,01", 4, "is no record"),
        ("02,CITY", "16,301", 2, "a movement (16) stands where a group header (02) belongs"),
    ],
)
def test_a_bad_record_is_named_with_its_line_and_reason(old, new, line, reason):
    content = replaced(statement(Line(500), opening=300), old, new)
    assert reason in places(content)[f"line {line}"]


def test_all_bad_records_are_listed_at_once():
    content = statement(Line(500), Line(600, type_code="475"))
    content = replaced(content, "16,301,500", "16,301,five")
    content = replaced(content, "16,475,600", "16,475,six")
    assert list(places(content)) == ["line 4", "line 5"]


def test_a_file_that_was_cut_off_is_refused():
    content = statement(Line(500)).rsplit(b"\n", 2)[0]
    assert places(content)["the end"] == "the file ends without a file trailer (99)"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "49,1000,3/",
            "49,1001,3/",
            "(49) says control total 1001, but its records add up to 1000",
        ),
        ("49,1000,3/", "49,1000,4/", "(49) says 4 records, but there are 3"),
        ("98,1000,1,5/", "98,1000,2,5/", "(98) says 2 accounts, but there are 1"),
        ("98,1000,1,5/", "98,999,1,5/", "(98) says control total 999"),
        ("99,1000,1,7/", "99,1000,3,7/", "(99) says 3 groups, but there are 1"),
        ("99,1000,1,7/", "99,1000,1,8/", "(99) says 8 records, but there are 7"),
    ],
)
def test_totals_and_counts_that_do_not_hold_are_found(old, new, reason):
    content = replaced(statement(Line(500)), old, new)
    assert any(reason in str(d) for d in bai2.read(content).differences)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"\x00\x01\x02", "not a BAI2 file"),
        (b"01,A\x00B/", "not a BAI2 file"),
        (b"%PDF-1.7", "not a BAI2 file"),
        ("01,Ünicode".encode("latin-1") + b"\xff\x00", "not a BAI2 file"),
        (b"01," + b"9" * (100 * 1024 * 1024), "larger than 100 MB"),
        (b"01,/\n" + b"88,\n" * 1_000_001, "more than 1000000 records"),
    ],
)
def test_hostile_content_gets_one_sentence(content, sentence):
    with pytest.raises(Invalid, match=sentence):
        bai2.read(content)


FIELD = st.text(st.sampled_from("AB 1/-."), max_size=6)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["301", "475", "195", "921"]),
            st.integers(0, 10**6),
            FIELD,
            FIELD,
            FIELD,
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_plain_movements_are_read_as_the_package_reads_them(told):
    lines = [
        Line(cents, code, bank.strip(), customer.strip(), text.strip(), ("",) if goes_on else ())
        for code, cents, bank, customer, text, goes_on in told
    ]
    content = statement(*lines)
    if any(line.type_code == "921" and line.cents for line in lines):
        with pytest.raises(BadFile, match="bad record"):
            bai2.read(content)
        return
    quick = bai2.read(content).days[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bai2, "_PLAIN", bai2._PLAIN.replace("^16", "^17"))
        slow = bai2.read(content).days[0]
    assert quick.movements.rows() == slow.movements.rows()


@given(st.data())
def test_a_mangled_file_is_read_or_refused_and_never_breaks_the_program(data):
    content = bytearray(statement(Line(500, text="BAG 1"), Line(70, "475", continuations=("A",))))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with suppress(Refused):
        bai2.read(bytes(content))
