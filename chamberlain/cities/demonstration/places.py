"""Where the account work of the demonstration is to be seen."""

from dataclasses import dataclass

from chamberlain.cities.demonstration.account_work import COURT_CASE
from chamberlain.cities.demonstration.desk import KEY
from chamberlain.database.rows import rows

# What it is, its page, and where to find the key of the page; %s is the key of the work, if any.
_KEYED = (
    ("A rebill posted by two people, old against new", "rebills/{}/",
     "SELECT id FROM rebilling_rebill WHERE idempotency_key = %s", f"{KEY} rebill posted"),
    ("A rebill that waits for a second person", "rebills/{}/",
     "SELECT id FROM rebilling_rebill WHERE idempotency_key = %s", f"{KEY} rebill asked"),
    ("A leak credit that was approved", "adjustments/{}/",
     "SELECT number FROM adjusting_adjustment WHERE idempotency_key = %s",
     f"{KEY} leak approved"),
    ("A leak credit that waits", "adjustments/{}/",
     "SELECT number FROM adjusting_adjustment WHERE idempotency_key = %s", f"{KEY} leak asked"),
    ("A refund that a customer asked for", "adjustments/{}/",
     "SELECT number FROM adjusting_adjustment WHERE idempotency_key = %s", f"{KEY} refund"),
    ("A payment plan in force", "plans/{}/",
     "SELECT number FROM plans_plan WHERE idempotency_key = %s", f"{KEY} plan in force"),
    ("A certificate that the buyer applied for", "certificates/applications/{}/",
     "SELECT number FROM certificates_application WHERE idempotency_key = %s",
     f"{KEY} certificate accepted"),
    ("A certificate that was issued", "certificates/applications/{}/",
     "SELECT number FROM certificates_application WHERE idempotency_key = %s",
     f"{KEY} certificate issued"),
    ("A move with its final bill", "finals/{}/",
     "SELECT move_out_id FROM finals_finalbill ORDER BY move_out_id", ""),
    ("A letter as it was sent", "letters/{}/",
     "SELECT number FROM letters_letter WHERE idempotency_key = %s", f"{KEY} letter past_due"),
    ("A letter in Spanish", "letters/{}/",
     "SELECT number FROM letters_letter WHERE idempotency_key = %s",
     f"{KEY} letter balance_statement"),
    ("A batch of letters that is planned", "letters/batches/{}/",
     "SELECT id FROM letters_batch WHERE idempotency_key = %s", f"{KEY} letters"),
    ("A deposit that was asked for", "customer-deposits/{}/",
     "SELECT number FROM deposits_deposit WHERE idempotency_key = %s", f"{KEY} deposit"),
    ("A customer who is bankrupt", "customers/{}/",
     "SELECT customer_id FROM registry_customermark WHERE reference = %s", COURT_CASE),
    ("A vehicle that may be booted", "vehicles/{}/",
     "SELECT plate FROM citations_citation c JOIN revenue_obligation o ON o.id = c.obligation_id"
     " WHERE o.number = %s", "D00002"),
    ("Owners with shares", "properties/{}/",
     """SELECT o.property_id FROM registry_ownership o
        JOIN registry_customer c ON c.id = o.customer_id WHERE c.name = %s""",
     "Theodore Lindqvist"),
)  # fmt: skip
_LISTS = (
    ("Who moved out", "finals/"),
    ("Certificates under way", "certificates/"),
    ("Documents to review", "documents/"),
    ("Citations", "citations/"),
    ("Usage to look at", "usage-worklist/"),
    ("Reading routes", "routes/"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Something to look at; address: of its page, without the host."""

    what: str
    address: str


def places() -> list[Place]:
    """What there is to look at of the account work."""
    found = []
    for what, address, query, key in _KEYED:
        made = rows(query, [key] if key else [])[:1]
        found += [Place(what, "/" + address.format(*row)) for row in made]
    return found + [Place(what, f"/{address}") for what, address in _LISTS]
