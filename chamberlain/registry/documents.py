"""What is done with documents: they are kept, looked at, and reviewed."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.registry import storage
from chamberlain.registry.content import content_of
from chamberlain.registry.models import Document, DocumentReview, DocumentView, Property

_NOT_IN_NAMES = re.compile(r"[^\w .()-]+")


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document's file as it came in."""

    name: str
    media_type: str
    data: bytes


def keep_document(
    actor: Actor, property_id: int, kind: str, name: str, data: bytes, now: datetime
) -> int:
    """Keeps a document about a property; returns its id.

    kind: one of Document.Kind. name: the file's own name, whose folder and signs are left out.
    Raises Invalid for a kind or a file that is not taken, AlreadyDone when the property has a
    document with the same content.
    """
    actor.require("document.keep")
    if kind not in Document.Kind.values:
        raise Invalid("Say what kind of document it is: choose one of the list.", field="kind")
    shown = _NOT_IN_NAMES.sub("_", re.split(r"[\\/]", name)[-1]).strip()
    content = content_of(shown, data)
    with acting(actor), transaction.atomic():
        if not Property.objects.select_for_update().filter(pk=property_id).exists():
            raise NotFound("There is no such property; look it up by its address or parcel.")
        same = Document.objects.filter(property_id=property_id, digest=content.digest).first()
        if same is not None:
            raise AlreadyDone(
                f"This file came in on {same.kept_at:%B %-d, %Y} already, as {same.name}; "
                "open that document.",
                field="file",
            )
        storage.store(content.digest, data)
        return Document.objects.create(
            property_id=property_id,
            kind=kind,
            name=shown[-120:],
            digest=content.digest,
            media_type=content.media_type,
            size_bytes=content.size_bytes,
            pages=content.pages,
            kept_by_id=actor.user_id,
            kept_at=now,
        ).pk


def look_at_document(actor: Actor, document_id: int, now: datetime) -> DocumentFile:
    """The file of a document; that the actor saw it is on record before it is handed out.

    Raises NotFound, NotPermitted, and Refused when the stored file is gone or was altered.
    """
    found = document_for(actor, document_id)
    data = storage.fetch(found.digest)
    DocumentView.objects.create(document=found, user_id=actor.user_id, seen_at=now)
    return DocumentFile(found.name, found.media_type, data)


def finish_review(actor: Actor, document_id: int, now: datetime, note: str = "") -> None:
    """A reviewer is done with a document. A note says why nothing was found in it.

    Raises AlreadyDone when somebody was done with it before, Invalid when there is neither a
    finding nor a note.
    """
    actor.require("document.review")
    found = document_for(actor, document_id)
    with transaction.atomic():
        Document.objects.select_for_update().get(pk=found.pk)
        if DocumentReview.objects.filter(document=found).exists():
            raise AlreadyDone("This document was reviewed already; look at what was found.")
        if not note.strip() and not found.findings.exists():
            raise Invalid(
                "Nothing was found in this document yet; record it, or say why there is nothing.",
                field="note",
            )
        DocumentReview.objects.create(
            document=found, reviewer_id=actor.user_id, reviewed_at=now, note=note.strip()[:200]
        )


def document_for(actor: Actor, document_id: int) -> Document:
    """The document, for somebody who may see it. Raises NotFound, NotPermitted."""
    actor.require("document.view")
    found = Document.objects.filter(pk=document_id).first()
    if found is None:
        raise NotFound("There is no such document; look at the property again.")
    if found.kind == Document.Kind.IDENTIFICATION:
        actor.require("personal.view")
    return found
