"""Which role may do what. Every operation names one of these permissions and checks it itself.

A permission held through an assignment to a center holds for that center only.
docs/permissions.md lists the same table; a test compares the two.
"""

from chamberlain.identity.models import Role

_EVERYONE = frozenset(Role)
_COUNTER = frozenset({Role.CASHIER, Role.CENTER_SUPERVISOR})
_CENTER = frozenset({Role.CENTER_SUPERVISOR, Role.COORDINATOR})
_ACCOUNTS = frozenset({Role.CLERK, Role.ACCOUNTS_SUPERVISOR})
_BILLING = frozenset({Role.ACCOUNTS_SUPERVISOR})
_MANAGEMENT = frozenset(
    {Role.ACCOUNTS_SUPERVISOR, Role.CENTER_SUPERVISOR, Role.COORDINATOR, Role.AUDITOR}
)
_ADMINISTRATION = frozenset({Role.ADMINISTRATOR})

PERMISSIONS: dict[str, frozenset[Role]] = {
    # Looking
    "account.view": _EVERYONE - _ADMINISTRATION,
    "contact.view": _ACCOUNTS | _COUNTER | {Role.COORDINATOR},
    "history.view": _MANAGEMENT | {Role.CLERK},
    "document.view": _ACCOUNTS | {Role.AUDITOR},
    "personal.view": _ACCOUNTS,
    "tariff.view": _EVERYONE,
    "billing.view": _ACCOUNTS | {Role.COORDINATOR, Role.AUDITOR},
    "center.view": _MANAGEMENT | {Role.CASHIER},
    "reconciliation.view": _CENTER | {Role.AUDITOR},
    "ledger.prove": _MANAGEMENT | _ADMINISTRATION,
    "audit.view": frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    # Registry and metering
    "customer.register": _ACCOUNTS | _COUNTER,
    "customer.change": _ACCOUNTS,
    "property.change": _ACCOUNTS,
    "document.keep": _ACCOUNTS,
    "document.review": _ACCOUNTS,
    "property.approve_change": _BILLING,
    "read.import": _ACCOUNTS,
    "usage.watch": _BILLING,
    "usage.work": _ACCOUNTS,
    "read.estimate": _ACCOUNTS,
    "route.change": _ACCOUNTS,
    # Revenue beside utilities
    "revenue.charge": _ACCOUNTS | _COUNTER | {Role.COORDINATOR},
    # Billing
    "tariff.load": _ADMINISTRATION,
    "bill_run.start": _BILLING,
    "bill_run.stop": _BILLING,
    "bill.rebill": _ACCOUNTS,
    "bill.approve_rebill": _BILLING,
    "hold.resolve": _ACCOUNTS,
    # Payment plans
    "plan.offer": _ACCOUNTS,
    "plan.approve": _BILLING | {Role.COORDINATOR},
    "plan.review": _BILLING,
    # Final bills
    "final.ask": _ACCOUNTS,
    "final.bill": _ACCOUNTS,
    "customer_deposit.ask": _ACCOUNTS,
    "customer_deposit.release": _BILLING,
    # Adjustments and penalties
    "adjustment.ask": _ACCOUNTS,
    "adjustment.approve": _BILLING | {Role.COORDINATOR},
    "refund.pay": _BILLING | {Role.COORDINATOR},
    "penalty.run": _BILLING,
    "penalty.hold": _ACCOUNTS,
    # Full payment certificates
    "certificate.apply": _ACCOUNTS | _COUNTER,
    "certificate.work": _ACCOUNTS,
    "certificate.issue": _BILLING | {Role.COORDINATOR},
    # Letters
    "letter.write": _ACCOUNTS | {Role.COORDINATOR},
    "letter.batch": _BILLING,
    "letter.propose": _ACCOUNTS,
    "letter.approve": _BILLING | {Role.COORDINATOR},
    # Counter
    "day.open": _CENTER,
    "day.close": _CENTER,
    "till.open": _COUNTER,
    "till.close": _COUNTER,
    "till.verify": _CENTER,
    "payment.take": _COUNTER,
    "payment.post": _COUNTER | {Role.ACCOUNTS_SUPERVISOR},
    "receipt.void": _COUNTER,
    "receipt.approve_void": _CENTER,
    # Citations
    "citation.contest": _ACCOUNTS | _COUNTER,
    "citation.decide": _BILLING | {Role.COORDINATOR},
    "citation.boot": _ACCOUNTS,
    "citation.run": _BILLING | {Role.COORDINATOR},
    # Disputes
    "payment.trace": _MANAGEMENT | {Role.CLERK},
    "payment.return": _BILLING | {Role.COORDINATOR},
    # Checks
    "check.view": _MANAGEMENT,
    "check.approve": _CENTER,
    "check.hold": _CENTER | _BILLING,
    # Numbered stock
    "stock.view": _MANAGEMENT | {Role.CASHIER},
    "stock.receive": frozenset({Role.COORDINATOR}),
    "stock.move": _CENTER,
    "stock.count": _COUNTER | {Role.COORDINATOR},
    "stock.settle": _CENTER,
    # The safe
    "safe.set_fund": frozenset({Role.COORDINATOR}),
    "safe.count": _CENTER,
    "safe.witness": _COUNTER | {Role.COORDINATOR},
    "safe.change": _CENTER,
    "signals.view": frozenset({Role.COORDINATOR, Role.AUDITOR}),
    # Reconciliation
    "deposit.make": _CENTER,
    "bank_file.read": _CENTER,
    "deposit.match": _CENTER,
    "question.answer": _CENTER,
    "reconciliation.prepare": _CENTER,
    "reconciliation.sign": _CENTER | {Role.AUDITOR},
    "general_ledger.export": frozenset({Role.COORDINATOR, Role.ACCOUNTS_SUPERVISOR}),
    # Administration
    "user.change": _ADMINISTRATION,
    "token.issue": _ADMINISTRATION,
    "city.load": _ADMINISTRATION,
}
