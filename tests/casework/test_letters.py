"""Letters: the city's wording filled with an account's facts, kept as sent, to one or to many."""

import io
from datetime import date, timedelta
from itertools import count

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from chamberlain.casework.letters import batches, queries
from chamberlain.casework.letters.batches import (
    ask_batch,
    look_at_batch,
    mailing_list,
    of_file,
    past_due,
    printed_batch,
    run_batch,
    stop_batch,
)
from chamberlain.casework.letters.fields import FIELDS
from chamberlain.casework.letters.models import Batch, Letter
from chamberlain.casework.letters.operations import (
    NewTemplate,
    NothingToSay,
    draft_letter,
    load_templates,
    send_letter,
)
from chamberlain.casework.letters.wording import check, fields_in, fill
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, BadFile, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry import preferences
from chamberlain.registry.models import AccountHolding, Customer
from tests.office import DAY, NOW, make_actor, owe
from tests.web.scenes import Office, furnished_office

_keys = count(1)
LATER = DAY + timedelta(days=90)


def template(code: str, body: str, language: str = "en", **other: object) -> NewTemplate:
    values: dict[str, object] = {
        "code": code,
        "language": language,
        "starts_on": date(2020, 1, 1),
        "name": code.title(),
        "subject": "Account {account}",
        "body": body,
        "takes_note": True,
        "source": "made for tests",
        "is_verified": False,
        **other,
    }
    return NewTemplate(**values)  # type: ignore[arg-type]


@pytest.fixture
def clerk(db: None) -> Actor:
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def boss(db: None) -> Actor:
    return make_actor("sam", Role.ACCOUNTS_SUPERVISOR)


@pytest.fixture
def place(db: None) -> Office:
    made = furnished_office()
    load_templates(
        program_actor(),
        [
            template("due", "You owe {past_due} for {service_address}.\n\nPlease pay."),
            template("due", "Usted debe {past_due} el {today}.", "es"),
            template("plan", "Plan {plan}: {next_instalment}.", takes_note=False),
        ],
    )
    return made


def send(actor: Actor, place: Office, code: str = "due", note: str = "", **other: str) -> str:
    key = other.get("key", f"k-{next(_keys)}")
    return send_letter(actor, place.number, code, note, DAY, NOW, key)


def words_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_an_unknown_field_is_named_with_the_nearest_that_there_is() -> None:
    with pytest.raises(Invalid, match=r"no field \{balanse\}; did you mean \{balance\}\?"):
        check("You owe {balanse}.", FIELDS)
    with pytest.raises(Invalid, match="look at the list"):
        check("{xyzzy}", FIELDS)
    for wrong in ("{", "}", "{balance", "{balance!r}", "{balance:>9}", "{}", "{0}", "{a.b}"):
        with pytest.raises(Invalid, match=r"brace|no field"):
            check(wrong, FIELDS)


@given(st.lists(st.tuples(st.text(), st.sampled_from(sorted(FIELDS)))), st.text())
def test_what_is_filled_in_is_text_and_never_wording(
    parts: list[tuple[str, str]], value: str
) -> None:
    def braces(text: str) -> str:
        return text.replace("{", "{{").replace("}", "}}")

    wording = "".join(f"{braces(text)}{{{name}}}" for text, name in parts)
    assert fields_in(wording) == {name for _, name in parts}
    assert fill(wording, dict.fromkeys(FIELDS, value)) == "".join(t + value for t, _ in parts)


def test_a_letter_is_kept_as_it_was_sent_and_printed_again_the_same(
    place: Office, clerk: Actor
) -> None:
    draft = draft_letter(clerk, place.number, "due", "", DAY)
    number = send(clerk, place, note="Ask for  me.\n\n\nClara", key="once")
    assert send(clerk, place, key="once") == number
    kept = queries.letter(number)
    assert kept.text == f"{draft.text}\n\nAsk for me.\n\nClara"
    assert kept.text.startswith("You owe $")
    pdf = queries.letter_as_sent(clerk, number)
    assert pdf == queries.letter_as_sent(clerk, number)
    said = words_of(pdf)
    for words in ("Maria Kowalski", "2214 W Cortland St", number, "Please pay.", place.number):
        assert words in said
    [row] = queries.letters_of_account(place.account.pk)
    assert (row.number, row.written_by, queries.count_letters(place.account.pk)) == (
        number, "Clara", 1,
    )  # fmt: skip
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Letter.objects.update(text="something else")


def test_it_goes_to_the_mailing_address_in_the_holders_language(
    place: Office, clerk: Actor
) -> None:
    holder = AccountHolding.objects.get(account=place.account).customer_id
    preferences.choose_mail(program_actor(), holder, "es", False)
    preferences.mail_elsewhere(
        program_actor(), place.account.pk, "Lakeside Management", "1 W Lake St", "60601",
        date(2020, 1, 1),
    )  # fmt: skip
    kept = queries.letter(send(clerk, place))
    assert kept.text.endswith(f"el {DAY.day} de marzo de {DAY.year}.")
    assert (kept.addressee, kept.address) == ("Lakeside Management", "1 W Lake St, 60601")
    root = PdfReader(io.BytesIO(queries.letter_as_sent(clerk, kept.number))).root_object
    assert root["/Lang"] == "es"


def test_a_letter_that_names_what_the_account_does_not_have_is_not_written(
    place: Office, clerk: Actor
) -> None:
    with pytest.raises(NothingToSay, match="nothing for “what is due next under the plan”"):
        send(clerk, place, "plan")
    with pytest.raises(Invalid, match="no words of your own"):
        send(clerk, place, "plan", note="Hello")
    with pytest.raises(Invalid, match="at most 600"):
        send(clerk, place, note="x" * 601)
    with pytest.raises(NotFound, match="no letter other"):
        send(clerk, place, "other")
    with pytest.raises(NotFound):
        send_letter(clerk, "nobody", "due", "", DAY, NOW, "k")
    assert not Letter.objects.exists()


def test_keys_and_permissions_hold(place: Office, clerk: Actor, boss: Actor) -> None:
    send(clerk, place, key="once")
    with pytest.raises(AlreadyDone, match="Somebody else"):
        send(boss, place, key="once")
    with pytest.raises(NotPermitted):
        send(make_actor("casey", Role.CASHIER, place.center), place)
    chosen = past_due(0, 1, LATER)
    with pytest.raises(NotPermitted):
        look_at_batch(clerk, "due", "", chosen, LATER)
    with pytest.raises(NotPermitted):
        queries.letter_as_sent(make_actor("audrey", Role.AUDITOR), "L-1")


def test_a_wording_holds_from_its_day_on(place: Office, clerk: Actor) -> None:
    load_templates(program_actor(), [template("due", "Pay {past_due} now.", starts_on=DAY)])
    assert draft_letter(clerk, place.number, "due", "", DAY).text.startswith("Pay $")
    before = draft_letter(clerk, place.number, "due", "", DAY - timedelta(days=1))
    assert before.text.startswith("You owe $")
    assert [(t.code, t.language) for t in queries.templates(DAY)] == [
        ("due", "en"), ("due", "es"), ("plan", "en"),
    ]  # fmt: skip


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
    for page, (number, _, addressee, _) in zip(pages, listed, strict=True):
        text = page.extract_text()
        assert number in text
        assert addressee in text


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
    load_templates(program_actor(), [template("due", "You owe {past_due}.")])
    debtors(place)
    chosen = past_due(0, 10_000, LATER)
    batch_id = ask_batch(program_actor(), "due", "", chosen, LATER, NOW, "b")
    done = run_batch(program_actor(), batch_id, workers=2)
    assert (done.status, done.letters) == ("done", len(chosen.account_ids))
