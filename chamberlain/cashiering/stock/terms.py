"""The kinds of stock as the city's file has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from chamberlain.cashiering.stock.models import Held, Kind, KindFee
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.revenue.models import Fee


@dataclass(frozen=True, slots=True)
class KindTerms:
    """A kind of stock. sold_with: codes of the fees that an item goes with."""

    code: str
    name: str
    prefix: str
    digits: int
    low_below: int
    sold_with: tuple[str, ...]


def load_kinds(actor: Actor, kinds: Sequence[KindTerms]) -> None:
    """Brings the kinds of stock to what the city's file says. Harmless when they are so.

    A fee moves to the kind that names it now, as when next year's stickers are sold. Raises
    NotFound for an unknown fee, Refused when the numbers of a kind in stock would be written
    otherwise.
    """
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        for terms in kinds:
            kind = _kind(terms)
            KindFee.objects.filter(kind=kind).exclude(fee__code__in=terms.sold_with).delete()
            for code in terms.sold_with:
                fee = Fee.objects.filter(code=code).first()
                if fee is None:
                    raise NotFound(f"Stock {terms.code} names the fee {code}; add it to the fees.")
                KindFee.objects.update_or_create(fee=fee, defaults={"kind": kind})


def _kind(terms: KindTerms) -> Kind:
    known = Kind.objects.filter(code=terms.code).first()
    is_written_otherwise = known and (known.prefix, known.digits) != (terms.prefix, terms.digits)
    if known and is_written_otherwise and Held.objects.filter(kind=known).exists():
        raise Refused(
            f"Stock {terms.code} is in use with numbers like {known.prefix}{'0' * known.digits}; "
            "give other numbers a kind of their own."
        )
    kind, _ = Kind.objects.update_or_create(
        code=terms.code,
        defaults={
            "name": terms.name,
            "prefix": terms.prefix,
            "digits": terms.digits,
            "low_below": terms.low_below,
        },
    )
    return kind
