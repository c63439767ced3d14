"""Two people on one account: who sends a form after the account changed is told what changed.

A page shows an account and puts its **standing as seen** into the form: what was owed and in
credit, the last charge and transfer, and a digest of who holds it and what bills it. When the
form comes back, the same is looked up with the account locked; if it differs, nothing is done.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from chamberlain.database.rows import rows
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.posting import lock_balances

MOST_NAMED = 3
_SEEN = re.compile(r"^(\d{1,18})\.(\d{1,18})\.(\d{1,18})\.(\d{1,18})\.([0-9a-f]{16})$")


class Changed(Refused):
    """The account is not any more as it was shown; nothing was done."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands. terms: a digest of who holds it and what bills it."""

    owed_cents: int
    credit_cents: int
    last_charge: int
    last_transfer: int
    terms: str

    @property
    def seen(self) -> str:
        """As a form carries it."""
        return (
            f"{self.owed_cents}.{self.credit_cents}.{self.last_charge}.{self.last_transfer}."
            f"{self.terms}"
        )


_STANDING_SQL = """
    SELECT b.owed_cents, b.credit_cents,
        coalesce((SELECT max(id) FROM ledger_charge WHERE account_id = b.account_id), 0),
        coalesce((SELECT max(id) FROM ledger_transfer WHERE account_id = b.account_id
            AND effect IN ('none', 'settle', 'unsettle')), 0),
        concat(
            (SELECT string_agg((h.customer_id, h.property_id, h.period)::text, ';' ORDER BY h.id)
                FROM registry_accountholding h WHERE h.account_id = b.account_id),
            (SELECT string_agg((g.id, g.tariff_id, g.rate_class, g.dwelling_units, g.exemptions,
                g.period)::text, ';' ORDER BY g.id)
                FROM billing_serviceagreement g WHERE g.account_id = b.account_id))
    FROM ledger_balance b WHERE b.account_id = %s
"""

# One line for each entry since: its kind, document, maker, moment and what it moved here.
_SINCE_SQL = """
    SELECT e.kind, e.document, coalesce(nullif(u.display_name, ''), u.username), e.posted_at,
        sum(x.cents)::bigint
    FROM (
        SELECT entry_id, cents FROM ledger_charge WHERE account_id = %(id)s AND id > %(charge)s
        UNION ALL
        SELECT entry_id, cents FROM ledger_transfer WHERE account_id = %(id)s
            AND effect IN ('none', 'settle', 'unsettle') AND id > %(transfer)s) x
    JOIN ledger_entry e ON e.id = x.entry_id
    JOIN identity_user u ON u.id = e.actor_id
    GROUP BY e.id, u.display_name, u.username ORDER BY e.id DESC LIMIT %(most)s
"""


def standing_now(account_id: int) -> Standing:
    """How the account stands now."""
    owed, credit, charge, transfer, terms = rows(_STANDING_SQL, [account_id])[0]
    return Standing(owed, credit, charge, transfer, hashlib.sha256(terms.encode()).hexdigest()[:16])


@contextmanager
def as_seen(account_id: int, seen: str, *others: int) -> Iterator[None]:
    """Does what is inside only if the account stands as the form saw it, in one transaction.

    seen: `Standing.seen` of the page that the form was on. others: accounts that are posted to
    besides, so that all locks are taken in one order. Raises Changed, with what changed and
    who posted it, when it stands otherwise or the form does not say.
    """
    with transaction.atomic():
        lock_balances(sorted({account_id, *others}))
        now = standing_now(account_id)
        if seen != now.seen:
            raise Changed(_what_changed(account_id, _standing_of(seen), now))
        yield


def _standing_of(seen: str) -> Standing:
    match = _SEEN.match(seen)
    if match is None:
        raise Changed("This form does not say how the account stood; look at it and send it again.")
    owed, credit, charge, transfer, terms = match.groups()
    return Standing(int(owed), int(credit), int(charge), int(transfer), terms)


def _what_changed(account_id: int, then: Standing, now: Standing) -> str:
    said = []
    if now.owed_cents != then.owed_cents:
        said.append(
            f"it owed {show_cents(then.owed_cents)} and owes {show_cents(now.owed_cents)} now"
        )
    if now.credit_cents != then.credit_cents:
        said.append(
            f"its credit was {show_cents(then.credit_cents)} and is {show_cents(now.credit_cents)}"
        )
    values = {
        "id": account_id,
        "charge": then.last_charge,
        "transfer": then.last_transfer,
        "most": MOST_NAMED + 1,
    }
    posted = rows(_SINCE_SQL, values)
    said += [_entry_in_words(*row) for row in posted[:MOST_NAMED]]
    if len(posted) > MOST_NAMED:
        said.append("and more")
    if now.terms != then.terms:
        said.append("who holds it or what bills it was changed")
    return (
        f"The account changed since you looked: {'; '.join(said)}. Nothing was done; look at it "
        "and send the form again."
    )


def _entry_in_words(kind: str, document: str, by: str, at: datetime, cents: int) -> str:
    moment = timezone.localtime(at)
    return (
        f"{kind.replace('_', ' ')} {document} over {show_cents(cents)} by {by} on "
        f"{moment:%B %-d} at {moment:%-I:%M %p}"
    )
