"""Words of the counter for the pages."""

from django import template

from chamberlain.web.basket import TENDERS

register = template.Library()

_STATES = {"open": "Open", "closed": "Counted, to be verified", "verified": "Verified"}
_TONES = {"open": "info", "closed": "wait", "verified": "ok"}


@register.filter
def tender_name(kind: str) -> str:
    """`money_order` as `Money order`; several, separated by commas, one after the other."""
    return ", ".join(TENDERS.get(part.strip(), part.strip()) for part in kind.split(","))


@register.filter
def till_state(state: str) -> str:
    """The state of a drawer in words."""
    return _STATES[state]


@register.filter
def till_tone(state: str) -> str:
    """The tone of a drawer's tag."""
    return _TONES[state]
