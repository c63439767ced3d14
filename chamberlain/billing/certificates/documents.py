"""A full payment certificate as PDF/UA-1, by Typst."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings

from chamberlain.billing.certificates.queries import CertificateRow, certificate
from chamberlain.kernel import paper
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import day_in_words

_TEMPLATE = Path(__file__).parent / "templates" / "certificate.typ"
VERIFY_PATH = "/certificates/verify/"


def certificate_pdf(number: str, site: str) -> bytes:
    """The certificate as a PDF/UA-1 file. site: the address of the office's pages, such as
    https://office.example, where it is verified. Raises NotFound.
    """
    found = certificate(number)
    return paper.pdf(_TEMPLATE, certificate_data(found, site))


def certificate_data(found: CertificateRow, site: str) -> dict[str, str]:
    """What the template prints, as text."""
    return {
        "city": settings.CITY_NAME,
        "number": found.number,
        "code": spaced(found.code),
        "account": found.account_number,
        "address": found.address,
        "parcel": found.parcel_number,
        "seller": found.seller,
        "buyer": found.buyer,
        "closing_on": day_in_words(found.closing_on),
        "issued_on": day_in_words(found.issued_on),
        "last_on": day_in_words(found.valid_until - timedelta(days=1)),
        "issued_by": found.issued_by,
        "paid": show_cents(found.paid_cents),
        "site": site.rstrip("/") + VERIFY_PATH,
    }


def spaced(code: str) -> str:
    """A code in groups of four, as it is read out and typed: `ABCD-EFGH-JKMN`."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))
