"""Where each role may go."""

from dataclasses import dataclass

from chamberlain.identity.actors import Actor


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the navigation."""

    label: str
    url: str
    current: bool


_PLACES = (
    ("Board", "/", None),
    ("Counter", "/counter/", "payment.take"),
    ("Accounts", "/accounts/", "account.view"),
    ("Documents", "/documents/", "document.view"),
    ("Reading routes", "/routes/", "billing.view"),
    ("Bill runs", "/bill-runs/", "billing.view"),
    ("Usage worklist", "/usage-worklist/", "billing.view"),
    ("Payment plans", "/plans/", "plan.offer"),
    ("Final bills", "/finals/", "final.ask"),
    ("Customer deposits", "/customer-deposits/", "billing.view"),
    ("Adjustments", "/adjustments/", "billing.view"),
    ("Types and terms", "/property-terms/", "billing.view"),
    ("Rebills", "/rebills/", "bill.rebill"),
    ("Letters", "/letters/", "letter.propose"),
    ("Certificates", "/certificates/", "account.view"),
    ("Centers", "/centers/", "center.view"),
    ("Reconciliation", "/reconciliation/", "reconciliation.view"),
    ("Card payments", "/card-payments/", "reconciliation.view"),
    ("Tariffs", "/tariffs/", "tariff.view"),
    ("What if", "/what-if/", "billing.view"),
    ("Proof of the ledger", "/ledger/", "ledger.prove"),
    ("Users", "/users/", "user.change"),
)


def navigation(actor: Actor, path: str) -> list[Place]:
    """The places that the actor may see, the present one marked."""
    return [
        Place(label, url, path == url or (url != "/" and path.startswith(url)))
        for label, url, permission in _PLACES
        if permission is None or actor.may(permission)
    ]
