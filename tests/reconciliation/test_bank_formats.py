"""camt, MT940, OFX and CSV: read into the same account days, each held to its own totals."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.kernel.errors import BadFile, Invalid, Refused
from chamberlain.reconciliation.files import camt, mapped_csv, mt940, ofx, reading
from chamberlain.reconciliation.files.mapped_csv import Layout

DATA = Path(__file__).parents[1] / "data" / "bank"
SHARED = Path(__file__).parents[3] / "shared" / "formats"


def sample(name: str) -> bytes:
    return next(DATA.glob(f"*{name}*")).read_bytes()


def swapped(content: bytes, old: str, new: str) -> bytes:
    assert old.encode() in content
    return content.replace(old.encode(), new.encode(), 1)


STATEMENT = b"""<?xml version="1.0"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<CreDtTm>2026-03-03T06:00:00</CreDtTm><Acct><Id><Othr><Id>77</Id></Othr></Id><Ccy>USD</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">10.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-01</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">15.25</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>
<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries><Sum>8.75</Sum></TtlNtries></TxsSummry>
<Ntry><Amt Ccy="USD">7.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-03-01</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt>
<AcctSvcrRef>R1</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs>
<RmtInf><Ustrd>BAG 7</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="USD">1.75</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-03-02</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="USD">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


def test_a_statement_of_two_days_becomes_two_account_days():
    first, second = camt.read(STATEMENT).days
    assert (first.account_number, first.currency) == ("77", "USD")
    assert (first.as_of, first.opening_cents, first.closing_cents) == (
        date(2026, 3, 1),
        1000,
        1700,
    )
    assert (second.as_of, second.opening_cents, second.closing_cents) == (
        date(2026, 3, 2),
        1700,
        1525,
    )
    [row] = first.movements.iter_rows(named=True)
    assert row["value_on"] == date(2026, 3, 2)
    assert (row["cents"], row["bank_reference"], row["customer_reference"], row["text"]) == (
        700,
        "R1",
        "E1",
        "BAG 7",
    )
    assert camt.read(STATEMENT).differences == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("15.25", "15.26", "but its movements add up to"),
        ("<NbOfNtries>3<", "<NbOfNtries>4<", "says 4 entries, but there are 3"),
        ("<Sum>8.75<", "<Sum>8.74<", "says 8.74, but they add up to $8.75"),
    ],
)
def test_what_a_statement_says_of_itself_is_held_to_it(old, new, reason):
    assert any(reason in str(d) for d in camt.read(swapped(STATEMENT, old, new)).differences)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (">7.00<", ">7.005<", "“7.005” is not an amount of whole cents"),
        (">7.00<", ">seven<", "“seven” is not an amount"),
        ("CRDT</CdtDbtInd><Sts><Cd>", "X</CdtDbtInd><Sts><Cd>", "neither credit nor debit"),
        ("<Dt>2026-03-01</Dt></BookgDt>", "<Dt>March</Dt></BookgDt>", "“March” is not a date"),
        ("<Othr><Id>77</Id></Othr>", "", "it names no account"),
        ('Ccy="USD">7.00', 'Ccy="EUR">7.00', "it mixes EUR, USD"),
        (">R1<", f">{'R' * 81}<", "more than 80 characters"),
    ],
)
def test_a_bad_element_is_named(old, new, reason):
    with pytest.raises(BadFile) as refused:
        camt.read(swapped(STATEMENT, old, new))
    assert reason in str(refused.value.records[0])


@pytest.mark.parametrize(
    "content",
    [
        b"<a>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        b"<Document/>",
        b"<?xml version='1.0' encoding='nonsense'?><x/>",
    ],
)
def test_xml_that_is_broken_or_hostile_is_refused(content):
    with pytest.raises(Invalid):
        camt.read(content)


def test_notices_and_intraday_reports_of_any_version_are_read():
    for name, cents in (("camt054.v4", -20_000_000), ("camt052.v1", -20_000_000)):
        [day] = camt.read(sample(name)).days
        assert day.movements["cents"].to_list() == [cents]
        assert (day.currency, day.opening_cents) == ("SEK", None)


def test_a_sample_whose_balances_do_not_lead_to_each_other_is_found():
    [difference] = camt.read(sample("all-balance-types")).differences
    assert "opens with $1.01 and closes 2015-01-22 with $4.04" in str(difference)


def test_mt940_is_read_with_its_balances():
    [day] = mt940.read(sample("citi__mt940")).days
    assert (day.account_number, day.currency, day.as_of) == (
        "123456789",
        "USD",
        date(2024, 3, 12),
    )
    assert (day.opening_cents, day.closing_cents) == (1_737_667, 1_623_392)
    assert day.movements["cents"].sum() == -114_275


def test_several_statements_and_long_references_are_read():
    days = mt940.read(sample("jejik__sns")).days
    assert [(d.as_of.day, d.movements.height) for d in days] == [(8, 2), (9, 0)]
    assert mt940.read(sample("ASNB")).days[0].movements["cents"].to_list() == [-6500]


def test_a_reversed_credit_takes_money_away():
    content = (
        b":20:1\n:25:77\n:28C:1/1\n:60F:C260301USD10,00\n"
        b":61:2603020302RC5,00NMSCREF\n:62F:C260302USD5,00\n"
    )
    [day] = mt940.read(content).days
    assert day.movements["cents"].to_list() == [-500]
    assert mt940.read(content).differences == ()
    cut = mt940.read(content.replace(b"USD5,00", b"USD5,01"))
    assert "its movements add up to -$5.00" in str(cut.differences[0])


def test_an_intraday_report_is_held_to_its_sums():
    assert ":90D: says $2.30, but they add up to $0.42" in str(
        mt940.read(sample("self-provided__mt942")).differences[0]
    )


def test_a_fragment_and_a_bad_movement_are_refused():
    with pytest.raises(Invalid, match="no statement"):
        mt940.read(sample("empty_86"))
    with pytest.raises(BadFile) as refused:
        mt940.read(b":20:1\n:25:77\n:60F:C260301USD10,00\n:61:26XX\n:62F:C260302USD5,00\n")
    assert "cannot be read" in str(refused.value.records[0])


OFX = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102

<OFX><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>1<ACCTID>77<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260301<DTEND>20260303
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260302<TRNAMT>12.50<FITID>A1<NAME>DEPOSIT<MEMO>BAG 7</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260303<TRNAMT>-1.25<FITID>A2<NAME>FEE</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>11.25<DTASOF>20260303</LEDGERBAL>
</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"""


def test_an_ofx_download_is_read_by_its_days():
    first, second = ofx.read(OFX).days
    assert [first.as_of.day, second.as_of.day] == [2, 3]
    [row] = first.movements.iter_rows(named=True)
    assert (row["cents"], row["bank_reference"], row["text"]) == (1250, "A1", "DEPOSIT BAG 7")
    assert second.movements["cents"].to_list() == [-125]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [("FITID>A2", "FITID>A1", "stands twice"), ("12.50", "12.505", "whole cents")],
)
def test_a_bad_movement_of_a_download_is_named(old, new, reason):
    with pytest.raises(BadFile) as refused:
        ofx.read(swapped(OFX, old, new))
    assert reason in str(refused.value.records[0])


LAYOUT = Layout(
    "Bank", booked="Date", amount="Amount", balance="Balance", account_number="77", text=("Text",)
)
CSV = b"""Date,Text,Amount,Balance
03/02/2026,BAG 7,"1,000.50","1,010.50"
03/02/2026,FEE,-0.5,1010.00
03/03/2026,OUT,(10.00),1000.00
"""


def test_a_csv_is_read_by_its_layout_and_proved_row_by_row():
    first, second = mapped_csv.read(CSV, LAYOUT).days
    assert first.movements["cents"].to_list() == [100_050, -50]
    assert (first.opening_cents, first.closing_cents) == (1000, 101_000)
    assert (second.movements["cents"].to_list(), second.closing_cents) == ([-1000], 100_000)
    assert first.movements["line"].to_list() == [2, 3]
    broken = mapped_csv.read(swapped(CSV, "1010.00", "1010.01"), LAYOUT).differences
    assert str(broken[0]) == (
        "line 3: account 77 stands at $1,010.01 after it, but the row before leads to $1,010.00"
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("-0.5,", "-0.505,", "line 3: “-0.505” is not an amount of whole cents"),
        ("-0.5,", "5O,", "line 3: “5O” is not an amount of whole cents"),
        ("-0.5,", "-(5),", "line 3: “-(5)” is not an amount of whole cents"),
        ("03/03/2026", "2026-03-03", "line 4: “2026-03-03” is not a day as the layout says"),
        ("(10.00),1000.00", "(10.00),", "line 4: “” is not a balance"),
    ],
)
def test_a_bad_row_is_named(old, new, reason):
    with pytest.raises(BadFile) as refused:
        mapped_csv.read(swapped(CSV, old, new), LAYOUT)
    assert reason in [str(record) for record in refused.value.records]


def test_other_countries_write_otherwise():
    layout = Layout(
        "Bank",
        booked="Tag",
        credit="Haben",
        debit="Soll",
        account="Konto",
        delimiter=";",
        decimal_mark=",",
        date_format="%d.%m.%Y",
        is_newest_first=True,
    )
    content = b"Tag;Konto;Soll;Haben\n03.03.2026;77;1.000,50;\n02.03.2026;78;;0,10\n"
    days = {d.account_number: d for d in mapped_csv.read(content, layout).days}
    assert days["77"].movements["cents"].to_list() == [-100_050]
    assert days["78"].movements["cents"].to_list() == [10]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"Date,Amount\n", "no row below"),
        (b"a,b\n1,2,3\n", "cannot be read as a table"),
        (b"a,b\n1,2\n", "no column Amount and no column Balance and no column Date"),
    ],
)
def test_a_csv_of_another_layout_is_refused(content, sentence):
    with pytest.raises(Invalid, match=sentence):
        mapped_csv.read(content, LAYOUT)


def test_a_layout_must_say_what_it_reads():
    assert [field for field, _ in Layout("", booked="").faults()] == [
        "name",
        "booked",
        "amount",
        "account_number",
    ]
    assert LAYOUT.faults() == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"01,BANK,", "bai2"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><Document/>", "camt"),
        (b"{1:F01}{4:\n:20:1\n:25:7", "mt940"),
        (b"OFXHEADER:100\n<OFX>", "ofx"),
        (b"<?xml version='1.0'?><?OFX OFXHEADER='200'?><OFX>", "ofx"),
        (b"Date,Amount\n", "csv"),
    ],
)
def test_the_format_is_known_by_the_content(content, kind):
    assert reading.format_of(content) == kind


@given(st.sampled_from([STATEMENT, OFX, CSV]), st.data())
def test_a_mangled_file_is_read_or_refused_and_never_breaks_the_program(content, data):
    mangled = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mangled) - 1))
        mangled[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with suppress(Refused):
        reading.read(bytes(mangled), LAYOUT)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/formats")
def test_every_shared_sample_is_read_or_refused_with_a_sentence():
    read, refused = 0, 0
    for folder in ("bai2", "camt053", "mt940", "ofx"):
        for path in sorted((SHARED / folder).iterdir()):
            try:
                reading.read(path.read_bytes(), LAYOUT)
                read += 1
            except Refused:
                refused += 1
    assert (read, refused) == (33, 14)
