"""A form that may register somebody new is done once, however often it is sent."""

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone
from chamberlain.registry.models import SentForm


def made_before(actor: Actor, key: str | None, kind: SentForm.Kind, property_id: int) -> int | None:
    """The id of what a form with this key made, or None when it was not sent before.

    The caller holds the property's lock, so that the same form sent twice at once is seen. Raises
    AlreadyDone when somebody else sent it, or it was sent about something else.
    """
    found = SentForm.objects.filter(idempotency_key=key).first() if key else None
    if found is None:
        return None
    actor.require_own(found.sent_by_id)
    if (found.kind, found.property_id) != (kind, property_id):
        raise AlreadyDone("This form was sent before for another property; open a new one.")
    return found.made_id


def keep_sent(
    actor: Actor, key: str | None, kind: SentForm.Kind, property_id: int, made_id: int
) -> None:
    """Keeps that a form was sent and done, in the caller's transaction."""
    if key:
        SentForm.objects.create(
            idempotency_key=key,
            kind=kind,
            property_id=property_id,
            sent_by_id=actor.user_id,
            made_id=made_id,
        )
