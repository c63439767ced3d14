"""Move-outs and next accounts, found for the operations on them."""

from chamberlain.billing.finals.models import MoveOut
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.ledger.queries import account_id_of
from chamberlain.registry.models import AccountHolding


def locked(move_out_id: int) -> MoveOut:
    """A move-out that nobody else works on until the transaction ends. Raises NotFound."""
    found = (
        MoveOut.objects.select_for_update(of=("self",))
        .select_related("account", "next_account")
        .filter(pk=move_out_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such move-out; look at the list of final bills.")
    return found


def next_account_of(number: str, account_id: int, customer_id: int) -> int | None:
    """The account that takes a balance over; None for "". Raises Invalid when not the holder's."""
    if not number.strip():
        return None
    try:
        next_id = account_id_of(number.strip())
    except NotFound as refusal:
        raise Invalid(refusal.sentence, field="next_account") from refusal
    held = AccountHolding.objects.filter(
        account_id=next_id, customer_id=customer_id, period__endswith=None
    )
    if next_id == account_id or not held.exists():
        raise Invalid(
            f"Account {number.strip()[:24]} is not another account of this holder; give one that "
            "is, or leave it empty.",
            field="next_account",
        )
    return next_id
