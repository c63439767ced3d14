"""The city's terms of certificates: checked with its other files, and loaded again without harm."""

import shutil
from datetime import date

import pytest
import yaml

from chamberlain.billing.certificates.models import CertificateTerms
from chamberlain.billing.certificates.queries import exemptions_on
from chamberlain.billing.certificates.terms import load_certificate_terms, terms_row
from chamberlain.cities.loading import CITIES, load_city
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import BadFile, NotFound
from tests.billing.certificates_office import TERMS
from tests.office import DAY, NOW


@pytest.fixture
def folder(tmp_path):
    copied = tmp_path / "chicago"
    shutil.copytree(CITIES / "chicago", copied)
    return copied


def spoil(folder, name, change):
    content = yaml.safe_load((folder / name).read_text())
    change(content)
    (folder / name).write_text(yaml.safe_dump(content))


def faults(folder):
    with pytest.raises(BadFile) as refused:
        read_city(folder)
    return [str(record) for record in refused.value.records]


@pytest.mark.django_db
def test_chicagos_terms_take_their_fee_from_its_fees():
    loaded = load_city(program_actor(), CITIES / "chicago", NOW)
    load_city(program_actor(), CITIES / "chicago", NOW)
    terms = CertificateTerms.objects.get()
    assert (terms.fee_cents, terms.fee_kind.code) == (5000, "fee")
    assert "garbage" in terms.covered_kinds
    assert ("h", "Partition") in exemptions_on(DAY)
    assert any(text.startswith("Full payment certificates") for text in loaded.unverified)


@pytest.mark.django_db
def test_before_its_first_terms_a_city_issues_nothing():
    with pytest.raises(NotFound, match="no terms for certificates"):
        terms_row(date(2010, 12, 31))


@pytest.mark.django_db
def test_terms_name_charge_kinds_that_there_are():
    with pytest.raises(NotFound, match="charge kind fee"):
        load_certificate_terms(program_actor(), [TERMS])


def test_terms_that_do_not_fit_the_citys_other_files_are_refused(folder):
    def change(content):
        content["certificates"][0].update(covers=["steam"], fee="fee.none")

    spoil(folder, "certificates.yaml", change)
    assert faults(folder) == [
        "certificates.yaml certificates.0.covers: city.yaml has no steam",
        "certificates.yaml certificates.0.fee: fees.yaml has no price of fee.none",
    ]


def test_where_the_price_of_the_fee_changes_new_terms_begin(folder):
    def change(content):
        fee = next(f for f in content["fees"] if f["code"] == "fee.full_payment_certificate")
        fee["prices"].append({**fee["prices"][0], "from": date(2027, 1, 1)})

    spoil(folder, "fees.yaml", change)
    assert faults(folder) == [
        "certificates.yaml certificates.0.fee: its price changes on 2027-01-01; begin terms"
    ]
