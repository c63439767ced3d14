"""The history of an account as one timeline."""

from datetime import date, datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema

from chamberlain.api.fields import Cursor, Day, Limit, Number, Page, offset_of, page_of
from chamberlain.api.tokens import actor_of_request
from chamberlain.casework import timeline
from chamberlain.kernel.errors import Invalid
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Accounts and charges"])

Kind = Literal[
    "bill", "payment", "read", "penalty", "adjustment", "reversal", "certificate", "plan",
    "letter", "finding", "change",
]  # fmt: skip


class EventOut(Schema):
    """What happened, the newest first. day: the business day, where it moved money.

    about and key name what it is about: `bill` and its number, `entry` and its id. cents: what it
    changed of owed less credit, or came to; null where it moved nothing.
    """

    kind: str
    day: date
    at: datetime | None
    title: str
    about: str
    key: str
    cents: int | None
    state: str
    by: str
    text: str


@router.get("/accounts/{number}/history", response=Page[EventOut], summary="History")
def history(
    request: HttpRequest,
    number: Number,
    kind: Kind | None = None,
    since: Annotated[Day | None, Query(description="The first day")] = None,
    until: Annotated[Day | None, Query(description="The last day")] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[EventOut]:
    """Bills, payments, reads, penalties, adjustments, reversals, certificates, plans, letters.

    Changes of the record need the scope history.view, and contacts in them contact.view. With
    days at most 5,000 events of each kind are looked at, without them 200.
    """
    actor = actor_of_request(request)
    actor.require("account.view")
    if since and until and until < since:
        raise Invalid(f"The last day, {until}, is before the first; swap them.", field="until")
    choice = timeline.Choice(kind or "", since, until)
    events = timeline.timeline(account_id_of(number), choice, timeline.Viewer.of(actor))
    start = offset_of(cursor)
    found, following = page_of(events[start : start + limit + 1], start, limit)
    return Page(items=[_shown(event) for event in found], next=following)


def _shown(event: timeline.Event) -> EventOut:
    return EventOut(
        kind=event.kind,
        day=event.day,
        at=event.when if isinstance(event.when, datetime) else None,
        title=event.title,
        about=event.about,
        key=event.key,
        cents=event.cents,
        state=event.tag,
        by=event.by,
        text=event.text,
    )
