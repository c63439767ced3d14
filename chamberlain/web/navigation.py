"""Where each role may go."""

from dataclasses import dataclass

from chamberlain.identity.actors import Actor

SHORT_LIST = 8
"""So many places are taken in at a glance; only a longer list has headings."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the navigation. heading: stands above the first place of its group."""

    label: str
    url: str
    current: bool
    heading: str = ""


_GROUPS = (
    (
        "",
        (
            ("Board", "/", None),
            ("Counter", "/counter/", "payment.take"),
        ),
    ),
    (
        "Customers",
        (
            ("Accounts", "/accounts/", "account.view"),
            ("Letters", "/letters/", "letter.propose"),
            ("Documents", "/documents/", "document.view"),
            ("Payment plans", "/plans/", "plan.offer"),
            ("Customer deposits", "/customer-deposits/", "billing.view"),
            ("Final bills", "/finals/", "final.ask"),
            ("Citations", "/citations/", "account.view"),
            ("Certificates", "/certificates/", "account.view"),
        ),
    ),
    (
        "Metering",
        (
            ("Reading routes", "/routes/", "billing.view"),
            ("Usage worklist", "/usage-worklist/", "billing.view"),
        ),
    ),
    (
        "Billing",
        (
            ("Bill runs", "/bill-runs/", "billing.view"),
            ("Rebills", "/rebills/", "bill.rebill"),
            ("Adjustments", "/adjustments/", "billing.view"),
            ("Tariffs", "/tariffs/", "tariff.view"),
            ("Types and terms", "/property-terms/", "billing.view"),
            ("What if", "/what-if/", "billing.view"),
        ),
    ),
    (
        "Payments",
        (
            ("Centers", "/centers/", "center.view"),
            ("Trace a payment", "/trace/", "payment.trace"),
            ("Returned payments", "/returned/", "payment.trace"),
            ("Stock", "/stock/", "stock.view"),
            ("Checks", "/checks/", "check.view"),
            ("Card payments", "/card-payments/", "reconciliation.view"),
            ("Reconciliation", "/reconciliation/", "reconciliation.view"),
            ("Journals", "/journals/", "reconciliation.view"),
            ("Signals", "/signals/", "signals.view"),
        ),
    ),
    (
        "Office",
        (
            ("Proof of the ledger", "/ledger/", "ledger.prove"),
            ("Users", "/users/", "user.change"),
        ),
    ),
)


def navigation(actor: Actor, path: str) -> list[Place]:
    """The places that the actor may see, in groups, the present one marked."""
    allowed = [
        (heading, label, url)
        for heading, places in _GROUPS
        for label, url, permission in places
        if permission is None or actor.may(permission)
    ]
    has_headings = len(allowed) > SHORT_LIST
    shown: list[Place] = []
    last = ""
    for heading, label, url in allowed:
        is_current = path == url or (url != "/" and path.startswith(url))
        above = heading if has_headings and heading != last else ""
        shown.append(Place(label, url, is_current, above))
        last = heading
    return shown
