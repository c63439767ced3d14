"""`resident.yaml` is checked as a whole, and loaded again changes nothing."""

from datetime import date

import pytest
from pydantic import ValidationError

from chamberlain.billing.access.models import ResidentTerms
from chamberlain.billing.access.terms import load_resident_terms, terms_on
from chamberlain.cities.loading import city_folder
from chamberlain.cities.resident_file import ResidentFile
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor

TERMS = {
    "from": date(2020, 1, 1),
    "code_months": 12,
    "smallest_payment": "5.00",
    "largest_payment": "100.00",
    "source": "chosen for the test",
    "verified": False,
}


@pytest.mark.parametrize(
    "terms",
    [
        [TERMS | {"code_months": 0}],
        [TERMS | {"smallest_payment": "100.01"}],
        [TERMS | {"smallest_payment": "0.00"}],
        [TERMS, TERMS],
    ],
)
def test_terms_that_make_no_sense_are_refused(terms):
    with pytest.raises(ValidationError):
        ResidentFile.model_validate({"resident": terms})


@pytest.mark.django_db
def test_chicagos_terms_are_loaded_once():
    found = read_city(city_folder("chicago")).resident
    assert all(not verified for _, verified in found.figures())
    for _ in range(2):
        load_resident_terms(program_actor(), [each.terms() for each in found.resident])
    assert ResidentTerms.objects.count() == 1
    assert terms_on(date(2026, 1, 1)).smallest_payment_cents == 500
