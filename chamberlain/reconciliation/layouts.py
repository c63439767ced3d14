"""Layouts of banks' CSV files: kept by name, changed by a person, used when a file is read."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.reconciliation.files.mapped_csv import Layout
from chamberlain.reconciliation.models import FileLayout

NAME_MAX = 60


def save_layout(actor: Actor, layout: Layout, now: datetime) -> str:
    """Keeps a layout, in place of the one of its name. Returns the name.

    Files that were read before stay as they were read. Raises NotPermitted, Invalid.
    """
    actor.require("bank_file.read")
    if faults := layout.faults():
        field, sentence = faults[0]
        raise Invalid(sentence, field=field)
    name = layout.name.strip()
    if len(name) > NAME_MAX:
        raise Invalid(f"The name has more than {NAME_MAX} characters; shorten it.", field="name")
    columns = asdict(layout)
    del columns["name"]
    with transaction.atomic(), acting(actor):
        FileLayout.objects.update_or_create(
            name=name,
            defaults={
                "columns": columns,
                "changed_by_id": actor.user_id,
                "changed_at": now,
            },
        )
    return name


def layout_of(name: str) -> Layout:
    """The layout of a name. Raises NotFound."""
    kept = FileLayout.objects.filter(name=name).first()
    if kept is None:
        raise NotFound(f"There is no layout “{name[:40]}”; choose another.")
    columns = dict(kept.columns)
    columns["text"] = tuple(columns["text"])
    return Layout(name=kept.name, **columns)


def layout_names() -> list[str]:
    """The names of all layouts."""
    return list(FileLayout.objects.order_by("name").values_list("name", flat=True))
