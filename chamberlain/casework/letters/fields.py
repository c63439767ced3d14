"""The catalog of merge fields: what a template may name, what it prints, whose figure it is."""

from dataclasses import dataclass
from difflib import get_close_matches

FREE = "free_paragraph"


@dataclass(frozen=True, slots=True)
class Field:
    """A merge field. room: whose query answers it."""

    name: str
    says: str
    room: str


CATALOG: dict[str, Field] = {
    name: Field(name, says, room)
    for name, says, room in (
        ("account_number", "The number of the account", "ledger"),
        ("balance", "What is owed on the day of the letter, less credit", "ledger"),
        ("past_due", "What of it was due before the day of the letter", "ledger"),
        ("holder", "Who holds the account", "registry"),
        ("mailing_address", "Where the mail of the account goes", "registry"),
        ("service_address", "The property that the account is for", "registry"),
        ("parcel_number", "The parcel of that property", "registry"),
        ("property_type", "The type of that property", "registry"),
        ("last_bill_number", "The number of the latest bill that stands", "billing"),
        ("last_bill_total", "The amount of that bill", "billing"),
        ("last_bill_date", "The day that bill was issued", "billing"),
        ("due_date", "The day by which that bill is to be paid", "billing"),
        ("plan_number", "The number of the latest payment plan", "payment plans"),
        ("plan_terms", "The name of the terms of that plan", "payment plans"),
        ("plan_total", "The amount of that plan", "payment plans"),
        ("plan_open", "What is still open on that plan", "payment plans"),
        ("certificate_number", "The number of the latest certificate", "certificates"),
        ("city", "The name of the city", "the city's files"),
        ("letter_date", "The day of the letter", "the letter"),
        (FREE, "A paragraph that the writer adds, where the template has it", "the letter"),
    )
}


def nearest(name: str) -> str:
    """The known field that is written most like a name, or ""."""
    return next(iter(get_close_matches(name.lower(), CATALOG, n=1, cutoff=0.4)), "")
