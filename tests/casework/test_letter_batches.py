"""One letter to many: chosen, looked at, written once to each, printed as it was sent."""

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from chamberlain.casework.letters import batches, queries
from chamberlain.casework.letters.batches import (
    ask_batch,
    drop_batch,
    look_at_asked,
    look_at_batch,
    mailing_list,
    of_file,
    past_due,
    printed_batch,
    run_batch,
    stop_batch,
)
from chamberlain.casework.letters.models import Batch, Letter
from chamberlain.casework.letters.operations import Wording, load_templates
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, BadFile, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry import preferences
from chamberlain.registry.models import AccountHolding, Customer
from tests.office import DAY, NOW, make_actor, owe
from tests.web.scenes import Office, furnished_office

LATER = DAY + timedelta(days=90)
WORDINGS = [
    Wording("due", "Past due", "en", date(2026, 1, 1), "Account {{ account_number }}",
            "{{ past_due }} is past due.\n\n{{ free_paragraph }}"),
    Wording("due", "Past due", "es", date(2026, 1, 1), "Cuenta {{ account_number }}",
            "{{ past_due }} vencidos.\n\n{{ free_paragraph }}"),
    Wording("plan", "Plan", "en", date(2026, 1, 1), "Plan {{ plan_number }}",
            "Plan {{ plan_number }} of account {{ account_number }}."),
]  # fmt: skip


@pytest.fixture
def boss(db: None) -> Actor:
    return make_actor("sam", Role.ACCOUNTS_SUPERVISOR)


@pytest.fixture
def place(db: None, settings: Any, tmp_path: Path) -> Office:
    settings.MEDIA_ROOT = tmp_path
    made = furnished_office()
    load_templates(program_actor(), WORDINGS, NOW)
    return made


def debtors(place: Office, accounts: int = 5) -> list[str]:
    """Accounts with holders, each of which owes a dollar more than the one before."""
    numbers = [f"D{i}" for i in range(accounts)]
    for i, number in enumerate(numbers):
        owed = owe(place.day, number, 10_000 + 100 * i)
        AccountHolding.objects.create(
            account_id=owed.account_id,
            customer=Customer.objects.create(kind="person", name=f"Holder {i}", language="en"),
            property_id=AccountHolding.objects.get(account=place.account).property_id,
            period="[2020-01-01,)",
        )
    return numbers


def test_a_batch_by_what_is_past_due_writes_each_account_once(
    place: Office, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "PART_LETTERS", 2)
    numbers = debtors(place)
    chosen = past_due(30, 10_200, LATER)
    assert chosen.asked == "$102.00 or more past due for more than 30 days"
    looked = look_at_batch(boss, "due", "", chosen, LATER)
    assert looked.letters == len(chosen.account_ids) >= 3
    batch_id = ask_batch(boss, "due", "", chosen, LATER, NOW, "b")
    assert ask_batch(boss, "due", "", chosen, LATER, NOW, "b") == batch_id
    steps: list[int] = []
    done = run_batch(boss, batch_id, progress=lambda p: steps.append(p.done))
    assert (done.status, done.letters, done.left_out) == ("done", looked.letters, 0)
    assert steps[-1] == looked.letters
    written = set(Letter.objects.values_list("account__number", flat=True))
    assert set(numbers[2:]) <= written
    assert not set(numbers[:2]) & written
    with pytest.raises(AlreadyDone, match="nothing is left"):
        run_batch(boss, batch_id)
    assert Letter.objects.count() == looked.letters
    pages = PdfReader(io.BytesIO(printed_batch(boss, batch_id))).pages
    listed = mailing_list(boss, batch_id)
    assert len(pages) == len(listed) == looked.letters
    for page, (number, account, address) in zip(pages, listed, strict=True):
        text = page.extract_text()
        assert number in text
        assert account in text
        assert address.split(",")[0] in text


def test_a_batch_of_a_file_leaves_out_whom_it_has_nothing_to_say(
    place: Office, boss: Actor
) -> None:
    numbers = debtors(place, 2)
    content = "account,note\n" + "".join(f"{number},x\n" for number in [*numbers, numbers[0]])
    chosen = of_file(content.encode(), "march.csv")
    assert (len(chosen.account_ids), chosen.asked) == (2, "The accounts of march.csv")
    looked = look_at_batch(boss, "plan", "", chosen, DAY)
    assert (looked.letters, looked.left_out_count) == (0, 2)
    batch_id = ask_batch(boss, "plan", "", chosen, DAY, NOW, "b")
    done = run_batch(boss, batch_id)
    assert (done.status, done.letters, done.left_out) == ("done", 0, 2)
    assert [number for number, _ in queries.left_out(batch_id)] == sorted(numbers)
    with pytest.raises(NotFound, match="No letter"):
        printed_batch(boss, batch_id)


def test_a_stopped_batch_goes_on_and_writes_nobody_twice(
    place: Office, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "PART_LETTERS", 1)
    debtors(place)
    batch_id = ask_batch(boss, "due", "", past_due(0, 10_000, LATER), LATER, NOW, "b")
    stopped = run_batch(boss, batch_id, progress=lambda _: stop_batch(boss, batch_id))
    assert (stopped.status, stopped.letters) == ("stopped", 1)
    done = run_batch(boss, batch_id)
    assert (done.status, done.letters) == ("done", done.accounts)
    assert queries.batch(batch_id).status == Batch.Status.DONE
    assert [row.batch_id for row in queries.batches()] == [batch_id]
    assert queries.count_batches() == 1


def test_what_a_file_has_wrong_is_named(place: Office) -> None:
    with pytest.raises(BadFile, match="1 of 2 lines name no account") as caught:
        of_file(f"account\n{place.number}\nNOBODY\n".encode(), "x.csv")
    [bad] = caught.value.records
    assert "line 3" in str(bad)
    for content, words in ((b"number\n1\n", "no column"), (b"\xff\xfe", "UTF-8"), (b"", "column")):
        with pytest.raises(Invalid, match=words):
            of_file(content, "x.csv")
    with pytest.raises(Refused, match="No account is chosen"):
        past_due(0, 10**12, DAY)
    with pytest.raises(Invalid, match="above nothing"):
        past_due(0, 0, DAY)
    with pytest.raises(NotFound):
        queries.batch(99)
    with pytest.raises(NotFound):
        batches.progress_of(99)


def test_local_workers_write_the_same(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PART_LETTERS", 2)
    place = furnished_office()
    load_templates(program_actor(), WORDINGS, NOW)
    debtors(place)
    chosen = past_due(0, 10_000, LATER)
    batch_id = ask_batch(program_actor(), "due", "", chosen, LATER, NOW, "b")
    done = run_batch(program_actor(), batch_id, workers=2)
    assert (done.status, done.letters) == ("done", len(chosen.account_ids))


def test_each_gets_it_in_their_language_with_the_writers_paragraph(
    place: Office, boss: Actor
) -> None:
    numbers = debtors(place, 2)
    spanish = AccountHolding.objects.get(account__number=numbers[0]).customer_id
    preferences.choose_mail(program_actor(), spanish, "es", False)
    chosen = of_file(f"account\n{numbers[0]}\n{numbers[1]}\n".encode(), "x.csv")
    batch_id = ask_batch(boss, "due", "Come in.", chosen, LATER, NOW, "b")
    assert look_at_asked(boss, batch_id).letters == 2
    run_batch(boss, batch_id)
    texts = dict(Letter.objects.values_list("account__number", "text"))
    assert texts == {
        numbers[0]: "$100.00 vencidos.\n\nCome in.",
        numbers[1]: "$101.00 is past due.\n\nCome in.",
    }
    with pytest.raises(Invalid, match="no place for a paragraph"):
        ask_batch(boss, "plan", "Come in.", chosen, LATER, NOW, "c")


def test_a_batch_is_dropped_before_and_not_after_it_was_begun(place: Office, boss: Actor) -> None:
    debtors(place, 2)
    chosen = past_due(0, 10_000, LATER)
    dropped = ask_batch(boss, "due", "", chosen, LATER, NOW, "a")
    drop_batch(boss, dropped)
    assert queries.count_batches() == 0
    begun = ask_batch(boss, "due", "", chosen, LATER, NOW, "b")
    with pytest.raises(AlreadyDone, match="Somebody else"):
        ask_batch(make_actor("amy", Role.ACCOUNTS_SUPERVISOR), "due", "", chosen, LATER, NOW, "b")
    run_batch(boss, begun)
    with pytest.raises(AlreadyDone, match="was begun"):
        drop_batch(boss, begun)
    clerk = make_actor("clara", Role.CLERK)
    with pytest.raises(NotPermitted):
        look_at_batch(clerk, "due", "", chosen, LATER)
    with pytest.raises(NotFound):
        look_at_asked(boss, 999)
