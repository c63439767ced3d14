"""A town of metered houses with registers, of which some are not read."""

from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.estimating.finding import Wanted
from chamberlain.billing.estimating.terms import NewTerms, load_estimate_terms
from chamberlain.billing.models import ServiceAgreement
from chamberlain.identity.actors import program_actor
from chamberlain.metering.models import Installation, Meter, Read
from tests.billing.town import Town, make_town

TERMS = NewTerms(
    date(2010, 1, 1),
    in_row=2,
    covered_percent=50,
    class_days=45,
    class_services=2,
    true_up_reason="read_wrong",
    source="chosen for the test",
    is_verified=False,
)
WANTED = Wanted("chicago-metered", date(2026, 1, 10), date(2026, 3, 1))
INSTALLED = date(2024, 1, 1)


def metered_town(houses: int, terms: NewTerms = TERMS) -> Town:
    """So many houses, each with a meter of six dials at 0 since 2024 and no read yet."""
    town = make_town(houses, reads=False)
    load_estimate_terms(program_actor(), [terms])
    for i, agreement in enumerate(town.agreements):
        meter = Meter.objects.create(serial=f"M{i:05d}", size="5/8", unit="kgal")
        Installation.objects.create(
            meter=meter,
            service_point_id=agreement.service_point_id,
            period=DateRange(INSTALLED, None),
        )
    return town


def meter_of(agreement: ServiceAgreement) -> Meter:
    """The meter at the agreement's service point."""
    return Installation.objects.get(service_point_id=agreement.service_point_id).meter


def read_on(
    agreement: ServiceAgreement, on: date, register: int, quality: str = "actual", source: str = ""
) -> Read:
    """A read that counts from the one before."""
    meter = meter_of(agreement)
    last = Read.objects.filter(meter=meter, register__isnull=False).order_by("-to_on").first()
    before = last.register if last and last.register is not None else 0
    return Read.objects.create(
        service_point_id=agreement.service_point_id,
        meter=meter,
        from_on=last.to_on if last else INSTALLED,
        to_on=on,
        register=register,
        usage_thousandths=(register - before) * 1000,
        unit="kgal",
        quality=quality,
        source=source or f"{meter.serial} {on}",
    )
