"""The certificate on paper: a PDF/UA-1 that says what it proves and how it is verified."""

import io
import re

import pytest
from pypdf import PdfReader

from chamberlain.billing.certificates.documents import certificate_pdf
from chamberlain.billing.certificates.models import Certificate
from tests.billing.certificates_office import make_desk

pytestmark = pytest.mark.django_db


def test_a_certificate_is_a_tagged_pdf_with_its_number_and_code():
    _, number = make_desk().issued()
    pdf = certificate_pdf(number, "https://office.example/")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf or b"pdfuaid:part" in pdf
    reader = PdfReader(io.BytesIO(pdf))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert len(reader.pages) == 1
    text = re.sub(r"\s+", " ", reader.pages[0].extract_text())
    code = Certificate.objects.get().code
    for said in (
        number,
        f"{code[:4]}-{code[4:8]}-{code[8:]}",
        "Maria Kowalski",
        "Jan Novak",
        "14-31-329-021-0000",
        "April 30, 2026",
        "office.example/certificates/verify/",
    ):
        assert said in text
