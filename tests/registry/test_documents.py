"""Documents: what is taken, where it lies, and who saw it."""

from contextlib import suppress
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.registry import content, document_queries, documents, record, storage
from chamberlain.registry.content import content_of
from chamberlain.registry.models import Document, DocumentView
from tests.office import NOW, make_actor
from tests.registry import papers


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "documents"
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def clerk(db):
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def house(db):
    return papers.two_flat()


@pytest.mark.parametrize(
    ("name", "data", "media_type", "pages"),
    [
        ("deed.pdf", papers.pdf(3), "application/pdf", 3),
        ("Deed.PNG", papers.picture("PNG"), "image/png", 1),
        ("deed.jpeg", papers.picture("JPEG"), "image/jpeg", 1),
    ],
)
def test_a_document_is_known_by_its_content(name, data, media_type, pages):
    found = content_of(name, data)
    assert (found.media_type, found.pages, found.size_bytes) == (media_type, pages, len(data))


def locked() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    writer.encrypt("secret")
    return papers.written(writer)


def with_script() -> bytes:
    return with_action("/JavaScript")


def with_attachment() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    writer.add_attachment("inside.exe", b"MZ")
    return papers.written(writer)


def with_action(kind: str) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    action = DictionaryObject({NameObject("/S"): NameObject(kind)})
    writer.root_object[NameObject("/OpenAction")] = action
    return papers.written(writer)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("deed.pdf", b"", "is empty"),
        ("deed.exe", papers.pdf(), "is a PDF, PNG or JPEG file"),
        ("deed", papers.pdf(), "is a PDF, PNG or JPEG file"),
        ("deed.pdf", papers.picture(), "says PDF, but its content is PNG picture"),
        ("deed.png", papers.pdf(), "says PNG picture, but its content is PDF"),
        ("deed.pdf", b"MZ\x90\x00", "neither PDF, PNG nor JPEG"),
        ("deed.pdf", b"%PDF-1.7\nnothing", "cannot be read to its end"),
        ("deed.png", papers.picture()[:60], "cannot be read to its end"),
        ("deed.jpg", papers.picture("JPEG")[:200], "cannot be read to its end"),
        ("deed.pdf", locked(), "locked by a password"),
        ("deed.pdf", with_script(), "starts a program or carries files"),
        ("deed.pdf", with_attachment(), "starts a program or carries files"),
        ("deed.pdf", with_action("/Launch"), "starts a program or carries files"),
        ("deed.pdf", papers.pdf(0), "has 0 pages"),
        ("deed.png", papers.picture(size=(8000, 5001)), "more than 40 million dots"),
    ],
)  # fmt: skip
def test_what_is_not_a_document_is_refused_beside_the_file(name, data, says):
    with pytest.raises(Invalid, match=says) as refusal:
        content_of(name, data)
    assert refusal.value.field == "file"


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(Invalid, match="more than 10 MB"):
        content_of("deed.pdf", b"%PDF-" + bytes(content.LARGEST_BYTES))


@given(st.binary(max_size=400), st.sampled_from(["pdf", "png", "jpg"]), st.integers(0, 400))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_in_is_taken_or_refused_in_a_sentence(noise, ending, cut):
    whole = (
        papers.pdf() if ending == "pdf" else papers.picture("PNG" if ending == "png" else "JPEG")
    )
    for data in (noise, whole[:cut] + noise, whole[:-cut] + noise if cut else whole):
        with suppress(Invalid):
            assert content_of(f"deed.{ending}", data).size_bytes == len(data)


def test_a_document_lies_under_its_digest_where_only_the_program_reads(clerk, house, place):
    made = documents.keep_document(
        clerk, house, "deed", "C:\\scans\\de<ed>.pdf", papers.pdf(2), NOW
    )
    row = document_queries.document_row(made)
    assert (row.name, row.pages, row.kept_by, row.reviewed_at) == ("de_ed_.pdf", 2, "Clara", None)
    digest = Document.objects.get().digest
    stored = place / digest[:2] / digest
    assert stored.read_bytes() == papers.pdf(2)
    assert stored.stat().st_mode & 0o077 == 0
    assert document_queries.documents_of_property(house) == [row]
    trail = [c for c in record.changes_of_property(house) if c.what == "document"]
    assert {(c.field, c.new, c.who) for c in trail} == {
        ("kind", "deed", "Clara"), ("name", "de_ed_.pdf", "Clara"), ("pages", "2", "Clara"),
    }  # fmt: skip


def test_the_same_file_comes_in_once_for_a_property(clerk, house):
    documents.keep_document(clerk, house, "deed", "deed.pdf", papers.pdf(), NOW)
    with pytest.raises(AlreadyDone, match=r"March 2, 2026 already, as deed\.pdf"):
        documents.keep_document(clerk, house, "lease", "other.pdf", papers.pdf(), NOW)


def test_content_that_is_there_already_is_not_written_again(place):
    data = papers.pdf()
    digest = content_of("deed.pdf", data).digest
    storage.store(digest, data)
    storage.store(digest, b"something else")
    assert storage.fetch(digest) == data


def test_a_document_needs_a_kind_and_a_property(clerk, house):
    with pytest.raises(Invalid, match="kind"):
        documents.keep_document(clerk, house, "novel", "deed.pdf", papers.pdf(), NOW)
    with pytest.raises(NotFound):
        documents.keep_document(clerk, 0, "deed", "deed.pdf", papers.pdf(), NOW)
    assert Document.objects.count() == 0


def test_every_view_is_on_record(clerk, house):
    made = documents.keep_document(clerk, house, "deed", "deed.pdf", papers.pdf(), NOW)
    auditor = make_actor("audrey", Role.AUDITOR)
    for actor in (clerk, auditor):
        seen = documents.look_at_document(actor, made, NOW)
        assert (seen.name, seen.media_type, seen.data) == (
            "deed.pdf", "application/pdf", papers.pdf(),
        )  # fmt: skip
    assert [v.name for v in document_queries.views_of_document(made)] == ["Audrey", "Clara"]


def test_who_may_not_see_it_leaves_no_view(clerk, house):
    made = documents.keep_document(clerk, house, "identification", "id.png", papers.picture(), NOW)
    for actor in (make_actor("audrey", Role.AUDITOR), make_actor("carl", Role.CASHIER)):
        with pytest.raises(NotPermitted):
            documents.look_at_document(actor, made, NOW)
    with pytest.raises(NotFound):
        documents.look_at_document(clerk, 0, NOW)
    assert DocumentView.objects.count() == 0


def test_a_file_that_was_altered_is_not_handed_out(clerk, house, place):
    made = documents.keep_document(clerk, house, "deed", "deed.pdf", papers.pdf(), NOW)
    [stored] = [path for path in place.rglob("*") if path.is_file()]
    stored.write_bytes(papers.pdf(2))
    with pytest.raises(Refused, match="missing or was altered"):
        documents.look_at_document(clerk, made, NOW)
    stored.unlink()
    with pytest.raises(Refused, match="missing or was altered"):
        documents.look_at_document(clerk, made, NOW)


def test_a_review_ends_with_a_note_when_nothing_was_found(clerk, house):
    made = documents.keep_document(clerk, house, "lease", "lease.pdf", papers.pdf(), NOW)
    assert [d.document_id for d in document_queries.waiting_documents(9, 0)] == [made]
    with pytest.raises(Invalid, match="Nothing was found"):
        documents.finish_review(clerk, made, NOW, " ")
    documents.finish_review(clerk, made, NOW, "The lease names the present holder")
    assert document_queries.count_waiting_documents() == 0
    assert document_queries.document_row(made).review_note == "The lease names the present holder"
    with pytest.raises(AlreadyDone):
        documents.finish_review(clerk, made, NOW, "Again")


@pytest.mark.parametrize("table", ["document", "documentview"])
def test_the_database_keeps_documents_and_views_as_they_are(clerk, house, table):
    from django.db import connection

    made = documents.keep_document(clerk, house, "deed", "deed.pdf", papers.pdf(), NOW)
    documents.look_at_document(clerk, made, NOW)
    for statement in (f"DELETE FROM registry_{table}", f"UPDATE registry_{table} SET id = 9"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            connection.cursor().execute(statement)
