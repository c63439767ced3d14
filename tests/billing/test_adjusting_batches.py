"""Many accounts are adjusted from one file: looked at first, and all of it or nothing."""

import pytest

from chamberlain.billing.adjusting import queries
from chamberlain.billing.adjusting.batches import (
    ask_batch,
    ask_for_file,
    drop_file,
    keep_file,
    kept_file,
    preview_batch,
)
from chamberlain.billing.adjusting.models import Adjustment, AdjustmentBatch
from chamberlain.billing.adjusting.operations import (
    approve_adjustment,
    approve_batch,
    refuse_adjustment,
    refuse_batch,
    withdraw_adjustment,
    withdraw_batch,
)
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import AlreadyDone, BadFile, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from tests import office
from tests.billing.adjust_scenes import Adjusting, make_adjusting_office
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db

GOOD = b"account,amount,note\nA,10.00,first\nB,15.00,\n"


@pytest.fixture
def place() -> Adjusting:
    made = make_adjusting_office()
    office.owe(made.day, "A", 3000)
    office.owe(made.day, "B", 500, 500)
    return made


def ask(place: Adjusting, content: bytes = GOOD, key: str = "k", code: str = "sorry") -> str:
    return ask_batch(place.clerk, content, "storm.csv", code, "the storm", DAY, NOW, key)


def test_a_file_is_shown_before_it_is_asked_for(place: Adjusting) -> None:
    looked = preview_batch(place.clerk, GOOD, "sorry", "the storm", DAY)
    assert looked.records == ()
    assert looked.cents == 2500
    assert [(r.account, r.settled_cents, r.left_cents, r.note) for r in looked.rows] == [
        ("A", 1000, 0, "first"),
        ("B", 1000, 500, "the storm"),
    ]
    assert not AdjustmentBatch.objects.exists()


def test_every_bad_row_is_listed_and_nothing_is_asked_for(place: Adjusting) -> None:
    rows = [
        "account,amount,note",
        "A,10.00,good",
        "Z,1.00,",
        "A,2.00,again",
        "B,ten,",
        "B,60.00,too much credit",
        "A",
        "A,1.00,x,y",
        "B,2000.00,",
    ]
    with pytest.raises(BadFile) as refused:
        ask(place, "\n".join(rows).encode())
    assert [(r.place, r.reason.split(";")[0][:44]) for r in refused.value.records] == [
        ("line 3", "There is no account Z."),
        ("line 4", "Account A is in line 2 already."),
        ("line 5", "“ten” is not an amount"),
        ("line 6", "Account B: It would leave $50.00 of credit o"),
        ("line 7", "The row has not as many fields as the headin"),
        ("line 8", "The row has not as many fields as the headin"),
        ("line 9", "Account B is in line 6 already."),
    ]
    assert not Adjustment.objects.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "not text in UTF-8"),
        (b"", "first line must be"),
        (b"account;amount\nA;1.00\n", "first line must be"),
        (b"account,amount,amount\n", "first line must be"),
        (b"account,amount\n", "no rows"),
    ],
)
def test_what_is_no_such_file_is_said(place: Adjusting, content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        ask(place, content)


def test_a_file_that_breaks_off_inside_quotes_is_listed(place: Adjusting) -> None:
    looked = preview_batch(place.clerk, b'account,amount\nA,1.00\n"B,2', "sorry", "x", DAY)
    assert [r.place for r in looked.records] == ["line 3"]


def test_a_row_with_a_character_that_is_no_text_is_listed(place: Adjusting) -> None:
    content = b"account,amount,note\nA,1.00,x\nB\0,2.00,y\nB,2.00,y\0\nB,2.0\x000,y\n"
    looked = preview_batch(place.clerk, content, "sorry", "x", DAY)
    assert [r.place for r in looked.records] == ["line 3", "line 4", "line 5"]
    assert all("NUL" in r.reason for r in looked.records)


def test_a_row_without_a_note_needs_one_for_all(place: Adjusting) -> None:
    looked = preview_batch(place.clerk, GOOD, "sorry", " ", DAY)
    assert [r.place for r in looked.records] == ["line 3"]


def test_a_file_too_large_is_not_read(place: Adjusting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chamberlain.billing.adjusting.batches.MOST_ROWS", 1)
    with pytest.raises(Invalid, match="more than 1 rows"):
        ask(place)
    monkeypatch.setattr("chamberlain.billing.adjusting.batches.LARGEST_FILE_BYTES", 10)
    with pytest.raises(Invalid, match="larger than"):
        ask(place)


def test_moves_between_accounts_are_not_for_a_file(place: Adjusting) -> None:
    with pytest.raises(Invalid, match="second account"):
        ask(place, code="holders_credit")


def test_a_batch_is_approved_whole_by_another_person(place: Adjusting) -> None:
    number = ask(place)
    assert ask(place) == number
    batch = queries.batch(number)
    assert (batch.rows, batch.cents, batch.waiting, batch.status) == (2, 2500, 2, "asked")
    assert [row.number for row in queries.waiting_batches()] == [number]
    assert approve_batch(place.supervisor, number, place.day.pk, NOW, "seen") == 2
    assert queries.batch(number).status == "posted"
    rows = queries.adjustments_of_batch(number)
    assert [(row.account, row.cents, row.status) for row in rows] == [
        ("A", 1000, "posted"),
        ("B", 1500, "posted"),
    ]
    assert len({row.entry_id for row in rows}) == 2
    assert balance(Adjustment.objects.get(account__number="B").account_id).credit_cents == 500
    assert prove(program_actor()).differences == ()
    with pytest.raises(AlreadyDone):
        approve_batch(place.supervisor, number, place.day.pk, NOW)


def test_refunds_of_many_accounts_come_from_a_file(place: Adjusting) -> None:
    for number in ("C", "D"):
        office.owe(place.day, number)
        place.pay(number, 2000, f"P-{number}")
    number = ask(place, b"account,amount\nC,20.00\nD,12.50\n", code="asked_back")
    assert approve_batch(place.supervisor, number, place.day.pk, NOW) == 2
    left = [balance(row.account_id).credit_cents for row in Adjustment.objects.order_by("pk")]
    assert left == [0, 750]


def test_the_sum_of_a_batch_decides_who_approves(place: Adjusting) -> None:
    for number in ("C", "D"):
        office.owe(place.day, number, 9000)
    number = ask(place, b"account,amount\nC,90.00\nD,90.00\n", code="bankrupt")
    with pytest.raises(NotPermitted, match="coordinator"):
        approve_batch(place.supervisor, number, place.day.pk, NOW)
    assert queries.step_of_batch(number).roles == ("coordinator",)
    assert approve_batch(place.coordinator, number, place.day.pk, NOW) == 2


def test_one_account_that_changed_holds_back_the_whole_batch(place: Adjusting) -> None:
    number = ask(place, b"account,amount\nA,30.00\nB,10.00\n", code="bankrupt")
    place.pay("B", 100, "P")
    with pytest.raises(Refused, match=r"ADJ-\d+: Only \$9.00 is open"):
        approve_batch(place.supervisor, number, place.day.pk, NOW)
    assert queries.batch(number).waiting == 2


def test_an_adjustment_of_a_batch_is_decided_with_it(place: Adjusting) -> None:
    batch = ask(place)
    number = queries.adjustments_of_batch(batch)[0].number
    for decide in (
        lambda: approve_adjustment(place.supervisor, number, place.day.pk, NOW),
        lambda: refuse_adjustment(place.supervisor, number, "no", NOW),
        lambda: withdraw_adjustment(place.clerk, number, NOW),
    ):
        with pytest.raises(Refused, match="whole batch"):
            decide()


def test_a_batch_is_refused_by_another_and_withdrawn_by_its_asker(place: Adjusting) -> None:
    refused, withdrawn = ask(place, key="1"), ask(place, key="2")
    assert refuse_batch(place.supervisor, refused, "wrong storm", NOW) == 2
    with pytest.raises(NotPermitted):
        withdraw_batch(place.supervisor, withdrawn, NOW)
    assert withdraw_batch(place.clerk, withdrawn, NOW) == 2
    own = ask_batch(place.supervisor, GOOD, "f.csv", "sorry", "x", DAY, NOW, "3")
    with pytest.raises(NotPermitted):
        refuse_batch(place.supervisor, own, "mine", NOW)
    with pytest.raises(NotFound):
        queries.batch("BAT-999999")
    with pytest.raises(NotFound):
        approve_batch(place.supervisor, "BAT-999999", place.day.pk, NOW)


def test_a_file_is_kept_while_it_is_looked_at_and_asked_for_once(place: Adjusting) -> None:
    file_id = keep_file(place.clerk, GOOD, "storm.csv", "sorry", "storm", DAY, NOW)
    kept = kept_file(place.clerk, file_id, DAY)
    assert (kept.file_name, kept.preview.cents) == ("storm.csv", 2500)
    with pytest.raises(NotFound):
        kept_file(place.supervisor, file_id, DAY)
    numbers = {ask_for_file(place.clerk, file_id, DAY, NOW) for _ in range(2)}
    assert len(numbers) == 1
    with pytest.raises(NotFound, match="upload it again"):
        kept_file(place.clerk, file_id, DAY)


def test_a_file_with_a_bad_row_is_kept_to_be_looked_at_and_may_be_dropped(
    place: Adjusting,
) -> None:
    file_id = keep_file(place.clerk, GOOD + b"Z,1.00,\n", "f.csv", "sorry", "x", DAY, NOW)
    assert [r.place for r in kept_file(place.clerk, file_id, DAY).preview.records] == ["line 4"]
    with pytest.raises(BadFile):
        ask_for_file(place.clerk, file_id, DAY, NOW)
    drop_file(place.clerk, file_id)
    with pytest.raises(NotFound):
        drop_file(place.clerk, file_id)
    assert not AdjustmentBatch.objects.exists()


def test_a_person_keeps_only_so_many_files(
    place: Adjusting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chamberlain.billing.adjusting.batches.MOST_FILES", 1)
    kept = keep_file(place.clerk, GOOD, "storm.csv", "sorry", "storm", DAY, NOW)
    with pytest.raises(Refused, match="You keep 1 files"):
        keep_file(place.clerk, GOOD, "storm.csv", "sorry", "storm", DAY, NOW)
    drop_file(place.clerk, kept)
    assert keep_file(place.clerk, GOOD, "storm.csv", "sorry", "storm", DAY, NOW)
