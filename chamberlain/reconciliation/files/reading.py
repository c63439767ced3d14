"""Which format a bank's file is in, and its account days."""

from chamberlain.kernel.errors import Invalid
from chamberlain.reconciliation.files import bai2, camt, mapped_csv, mt940, ofx
from chamberlain.reconciliation.files.account_days import Told
from chamberlain.reconciliation.files.mapped_csv import Layout

FORMATS = {
    "bai2": "BAI2",
    "camt": "camt.052, .053 or .054",
    "mt940": "MT940 or MT942",
    "ofx": "OFX",
    "csv": "CSV",
}
_HEAD = 4000
_READERS = {"bai2": bai2.read, "camt": camt.read, "mt940": mt940.read, "ofx": ofx.read}


def format_of(content: bytes) -> str:
    """`bai2`, `camt`, `mt940`, `ofx`; `csv` for anything that is none of these."""
    head = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:_HEAD]
    if head.startswith(b"01,"):
        return "bai2"
    if b"OFXHEADER" in head or b"<OFX>" in head:
        return "ofx"
    if head.startswith(b"<"):
        return "camt"
    if b":20:" in head and b":25:" in head:
        return "mt940"
    return "csv"


def read(content: bytes, layout: Layout | None) -> tuple[str, Told]:
    """The format and what the file tells. layout: for a CSV, the bank's own.

    Raises Invalid (a format that is not known, a CSV without layout) and BadFile.
    """
    kind = format_of(content)
    if reader := _READERS.get(kind):
        return kind, reader(content)
    if layout is None:
        raise Invalid(
            "This is no BAI2, camt, MT940 or OFX file. If it is a CSV of the bank, choose its "
            "layout; else choose the file that the bank sent.",
            field="file",
        )
    return kind, mapped_csv.read(content, layout)
