"""What people do about entries of the usage worklist.

Each operation is told the entry's version that the person saw. When somebody, or a watch, changed
the entry since, it is refused with what changed. A key given twice is the same step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.timezone import localtime

from chamberlain.identity.actors import Actor, acting, actor_of
from chamberlain.identity.models import User
from chamberlain.kernel.errors import AlreadyDone, BadRecord, Invalid, NotFound, Refused
from chamberlain.metering.models import Read
from chamberlain.metering.watching.models import Finding, Resolution, Sighting, Step

LARGEST_CLOSE = 500
# Nobody asks a crew for a day further ahead; a later one is a slip of the pen.
AHEAD = timedelta(days=366)


class Changed(Refused):
    """Entries were changed since the person saw them; `records` says each, with what changed."""

    def __init__(self, sentence: str, records: Sequence[BadRecord]) -> None:
        super().__init__(sentence)
        self.records = tuple(records)


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry as a person saw it."""

    finding_id: int
    version: int


def verify_reads(actor: Actor, seen: Seen, note: str, now: datetime, idempotency_key: str) -> bool:
    """Says that the reads of an entry are right, so that it holds no bill; the entry stays.

    Returns False when this key did it before. Raises NotFound, Changed, AlreadyDone when the reads
    were verified or the entry was closed.
    """
    with acting(actor), transaction.atomic():
        finding = _taken_up(actor, seen, idempotency_key)
        if finding is None:
            return False
        if not _verify([finding.pk]):
            raise AlreadyDone("These reads were verified before; close the entry.")
        _step(actor, finding, Step.Kind.VERIFIED, note, now, idempotency_key)
    return True


def assign(
    actor: Actor, seen: Seen, username: str, today: date, now: datetime, idempotency_key: str
) -> bool:
    """Gives an entry to a person who works on the worklist, or to nobody with an empty name.

    Returns False when this key did it before. Raises NotFound (entry, person), Changed, Invalid
    when the person may not work on it.
    """
    with acting(actor), transaction.atomic():
        finding = _taken_up(actor, seen, idempotency_key)
        if finding is None:
            return False
        person = _worker(username, today) if username else None
        finding.assigned_to = person
        text = f"To {person}" if person else "To nobody"
        _step(actor, finding, Step.Kind.ASSIGNED, text, now, idempotency_key)
    return True


def _worker(username: str, today: date) -> User:
    person = User.objects.filter(username=username).first()
    if person is None:
        raise NotFound(f"There is no user {username[:40]}; choose another.", field="username")
    if not actor_of(person, today).may("usage.work"):
        raise Invalid(
            f"{person} does not work on the usage worklist; choose another.", field="username"
        )
    return person


def ask_field_check(
    actor: Actor,
    seen: Seen,
    kind: str,
    check_by: date,
    note: str,
    today: date,
    now: datetime,
    idempotency_key: str,
) -> bool:
    """Asks that the meter is read again, or checked, by a day; the entry waits for it.

    Returns False when this key did it before. Raises NotFound, Changed, Invalid (kind, day).
    """
    if kind not in Finding.FieldCheck.values:
        raise Invalid("Choose whether the meter is read again or checked.", field="kind")
    if not today <= check_by <= today + AHEAD:
        raise Invalid("Give a day from today on, within a year.", field="check_by")
    with acting(actor), transaction.atomic():
        finding = _taken_up(actor, seen, idempotency_key)
        if finding is None:
            return False
        finding.state = Finding.State.FIELD_CHECK
        finding.field_check, finding.check_by = kind, check_by
        said = f"{Finding.FieldCheck(kind).label} by {check_by:%B} {check_by.day}, {check_by.year}"
        text = f"{said}. {note.strip()}" if note.strip() else said
        _step(actor, finding, Step.Kind.FIELD_CHECK, text, now, idempotency_key)
    return True


def note(actor: Actor, seen: Seen, text: str, now: datetime, idempotency_key: str) -> bool:
    """Writes down what was learned; returns False when this key did it before.

    Raises NotFound, Changed, Invalid without a text.
    """
    if not text.strip():
        raise Invalid("Write the note.", field="note")
    with acting(actor), transaction.atomic():
        finding = _taken_up(actor, seen, idempotency_key)
        if finding is None:
            return False
        _step(actor, finding, Step.Kind.NOTED, text, now, idempotency_key)
    return True


def close(
    actor: Actor,
    entries: Sequence[Seen],
    resolution: str,
    text: str,
    now: datetime,
    idempotency_key: str,
) -> int:
    """Closes entries with one resolution, all of them or none; returns how many.

    A resolution by which the usage is right also verifies their reads. Entries that this key
    closed before are counted again. Raises Invalid (no entry, too many, unknown resolution),
    NotFound, Changed with each entry that was changed since.
    """
    actor.require("usage.work")
    if not entries:
        raise Invalid("Choose at least one entry.", field="entries")
    if len(entries) > LARGEST_CLOSE:
        raise Invalid(f"Close at most {LARGEST_CLOSE} entries at once.", field="entries")
    chosen = Resolution.objects.filter(code=resolution, is_offered=True).first()
    if chosen is None:
        raise Invalid("Choose how the entry is resolved.", field="resolution")
    with acting(actor), transaction.atomic():
        found = _locked([each.finding_id for each in entries])
        done = set(
            Step.objects.filter(finding__in=found, idempotency_key=idempotency_key).values_list(
                "finding_id", flat=True
            )
        )
        asked = [each for each in entries if each.finding_id not in done]
        _refuse_changed(found, asked)
        if chosen.verifies_reads:
            _verify([each.finding_id for each in asked])
        said = f"{chosen.name}. {text.strip()}" if text.strip() else chosen.name
        for each in asked:
            finding = found[each.finding_id]
            finding.state, finding.resolution = Finding.State.CLOSED, chosen
            finding.closed_at, finding.closed_by_id = now, actor.user_id
            finding.version += 1
        Finding.objects.bulk_update(
            [found[each.finding_id] for each in asked],
            ["state", "resolution", "closed_at", "closed_by", "version"],
        )
        Step.objects.bulk_create(
            Step(
                finding_id=each.finding_id,
                kind=Step.Kind.CLOSED,
                by_id=actor.user_id,
                at=now,
                text=said[:300],
                idempotency_key=idempotency_key,
            )
            for each in asked
        )
    return len(entries)


def reads_of(finding_ids: Sequence[int]) -> list[int]:
    """The ids of the reads that show entries."""
    found = Sighting.objects.filter(finding__in=finding_ids).order_by("read_id")
    return list(found.values_list("read_id", flat=True).distinct())


def _verify(finding_ids: Sequence[int]) -> int:
    reads = Read.objects.filter(pk__in=reads_of(finding_ids), is_verified=False)
    return reads.update(is_verified=True)


def _taken_up(actor: Actor, seen: Seen, idempotency_key: str) -> Finding | None:
    """The entry, locked, for a step; None when the key's step was taken before."""
    actor.require("usage.work")
    found = _locked([seen.finding_id])
    if Step.objects.filter(finding_id=seen.finding_id, idempotency_key=idempotency_key).exists():
        return None
    _refuse_changed(found, [seen])
    return found[seen.finding_id]


def _locked(finding_ids: Sequence[int]) -> dict[int, Finding]:
    found = {
        row.pk: row
        for row in Finding.objects.select_for_update(of=("self",))
        .filter(pk__in=finding_ids)
        .order_by("pk")
    }
    missing = [each for each in finding_ids if each not in found]
    if missing:
        raise NotFound(f"There is no entry {missing[0]} on the usage worklist.")
    return found


def _refuse_changed(found: Mapping[int, Finding], asked: Sequence[Seen]) -> None:
    changed = [found[each.finding_id] for each in asked if _is_changed(found, each)]
    if not changed:
        return
    records = [BadRecord(f"Entry {each.pk}", _what_changed(each)) for each in changed]
    if len(asked) == 1:
        raise Changed(f"{records[0].reason} Look at the entry again.", records)
    raise Changed(
        f"{len(records)} of {len(asked)} entries changed since you saw them, so none was closed: "
        f"{'; '.join(map(str, records[:3]))}{' …' if len(records) > 3 else ''}",
        records,
    )


def _is_changed(found: Mapping[int, Finding], seen: Seen) -> bool:
    finding = found[seen.finding_id]
    return finding.version != seen.version or finding.state == Finding.State.CLOSED


def _what_changed(finding: Finding) -> str:
    """The latest thing that happened to an entry, as a sentence."""
    step = Step.objects.filter(finding=finding).select_related("by").order_by("-id").first()
    sighting = Sighting.objects.filter(finding=finding).order_by("-id").first()
    if step is None or (
        sighting is not None
        and sighting.found_at > step.at
        and finding.state != Finding.State.CLOSED
    ):
        return f"The watch of {finding.seen_on:%B} {finding.seen_on.day} saw it again: " + (
            finding.sentence
        )
    when = localtime(step.at)
    text = f": {step.text}" if step.text else ""
    said = f"{step.by} was here on {when:%B} {when.day} ({step.get_kind_display().lower()}){text}"
    return said if said.endswith(".") else f"{said}."


def _step(
    actor: Actor, finding: Finding, kind: str, text: str, now: datetime, idempotency_key: str
) -> None:
    finding.version += 1
    finding.save()
    Step.objects.create(
        finding=finding,
        kind=kind,
        by_id=actor.user_id,
        at=now,
        text=text.strip()[:300],
        idempotency_key=idempotency_key,
    )
