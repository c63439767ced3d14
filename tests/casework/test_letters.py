"""Letters: proposed and approved by two people, kept as sent, the same bytes ever after."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import DatabaseError, transaction
from page import validate_pdf_bytes

from chamberlain.casework.letters import operations, queries
from chamberlain.casework.letters.merging import in_words, recipients
from chamberlain.casework.letters.models import Letter, Template
from chamberlain.casework.letters.operations import Wording
from chamberlain.cities.loading import city_folder
from chamberlain.cities.schema import read_city
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted
from chamberlain.registry import operations as registry
from chamberlain.registry import ownership, preferences
from chamberlain.registry.queries import account_summary
from tests.office import DAY, NOW, make_actor
from tests.web.scenes import furnished_office

pytestmark = pytest.mark.django_db
BALANCE = Wording(
    "balance", "Balance", "en", date(2026, 1, 1), "Account {{ account_number }}",
    "Dear {{ holder }},\n\nyou owe {{ balance }}.\n\n{{ free_paragraph }}",
)  # fmt: skip


@pytest.fixture
def place(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    made = furnished_office(name='Ana #"x" *Ruiz*')
    operations.load_templates(program_actor(), [BALANCE], NOW)
    return made


@pytest.fixture
def clerk():
    return make_actor("cleo", Role.CLERK)


@pytest.fixture
def supervisor():
    return make_actor("sam", Role.ACCOUNTS_SUPERVISOR)


def send(actor, place, key="k1", **other):
    return operations.send_letter(actor, place.account.pk, "balance", DAY, NOW, key, **other)


def holder_of(place):
    return account_summary(place.number).customer_id


def test_a_letter_is_kept_as_sent_and_reprinted_to_the_byte(place, clerk):
    number = send(clerk, place, free="Thank you.")
    row = queries.letter(number)
    assert row.text.startswith('Dear Ana #"x" *Ruiz*,\n\nyou owe $')
    assert row.text.endswith("Thank you.")
    assert row.addressed_to == ['Ana #"x" *Ruiz*', "2214 W Cortland St, 60647"]
    first = queries.letter_file(clerk, number)
    assert first == queries.letter_file(clerk, number)
    assert queries.count_letters(place.account.pk) == 1
    assert queries.letters_of_account(place.account.pk) == [row]


def test_a_letter_is_pdf_ua_1(place, clerk):
    report = validate_pdf_bytes(queries.letter_file(clerk, send(clerk, place)), profile="ua1")
    assert report.is_compliant, report.to_json()


def test_the_same_key_sends_once_and_only_to_its_account(place, clerk):
    assert send(clerk, place) == send(clerk, place)
    other = registry.open_account(program_actor(), holder_of(place), None, DAY, "1004220999")
    with pytest.raises(AlreadyDone, match="begin the letter anew"):
        operations.send_letter(clerk, other, "balance", DAY, NOW, "k1")


def test_a_letter_is_never_changed_or_deleted(place, clerk):
    number = send(clerk, place)
    for change in (
        lambda: Letter.objects.filter(number=number).update(text="Other"),
        lambda: Letter.objects.filter(number=number).delete(),
        lambda: Template.objects.update(body="Other"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_wording_is_used_after_another_person_approved_it(place, clerk, supervisor):
    newer = replace(BALANCE, body="Dear {{ holder }}, new words.", starts_on=DAY)
    version = operations.propose_template(supervisor, newer, NOW)
    seen = operations.preview_version(clerk, version, place.account.pk, DAY)
    assert seen.blocks[0].items[0].endswith("new words.")
    assert operations.template_in_use("balance", "en", DAY).version == 1
    with pytest.raises(NotPermitted, match="You wrote"):
        operations.decide_template(supervisor, version, NOW, approved=True)
    other = make_actor("cora", Role.COORDINATOR)
    operations.decide_template(other, version, NOW, approved=True)
    assert operations.template_in_use("balance", "en", DAY).version == 2
    with pytest.raises(AlreadyDone):
        operations.decide_template(other, version, NOW, approved=False)
    with pytest.raises(NotFound):
        operations.decide_template(other, 0, NOW, approved=True)
    with pytest.raises(NotFound):
        operations.preview_version(clerk, 0, place.account.pk, DAY)
    assert [row.version for row in queries.template_versions()] == [2, 1]


def test_a_refused_wording_is_not_used(place, clerk, supervisor):
    version = operations.propose_template(clerk, replace(BALANCE, subject="Other"), NOW)
    operations.decide_template(supervisor, version, NOW, approved=False)
    assert operations.template_in_use("balance", "en", DAY).version == 1


def test_an_unknown_field_saves_nothing(place, clerk):
    with pytest.raises(Invalid, match="nearest that there is is “balance”"):
        operations.propose_template(clerk, replace(BALANCE, body="{{ balanc }}"), NOW)
    with pytest.raises(NotFound):
        operations.propose_template(clerk, replace(BALANCE, code="none"), NOW)
    assert Template.objects.count() == 1


def test_joint_owners_are_addressed_and_a_mailing_address_comes_first(place, clerk):
    program = program_actor()
    found = account_summary(place.number)
    owner = registry.register_customer(program, "person", "Zoe Ruiz")
    ownership.record_ownership(program, found.property_id, found.customer_id, DAY, None, 5000)
    ownership.record_ownership(program, found.property_id, owner, DAY, None, 5000)
    [to] = recipients([place.account.pk], DAY)
    assert to.addressed_to[0] == 'Ana #"x" *Ruiz* and Zoe Ruiz'
    preferences.mail_elsewhere(
        program, place.account.pk, "Ruiz Trust", "1 N State St", "60602", DAY
    )
    [to] = recipients([place.account.pk], DAY)
    assert to.addressed_to == ("Ruiz Trust", "1 N State St, 60602")


def test_the_holders_language_is_used_where_there_is_a_wording(place, clerk):
    preferences.choose_mail(clerk, holder_of(place), "es", False)
    assert (
        operations.preview_letter(clerk, place.account.pk, "balance", DAY).subject[:7] == "Account"
    )
    spanish = replace(BALANCE, language="es", subject="Cuenta al {{ letter_date }}")
    assert operations.load_templates(program_actor(), [BALANCE, spanish], NOW) == 1
    made = operations.preview_letter(clerk, place.account.pk, "balance", DAY)
    assert made.subject == "Cuenta al 2 de marzo de 2026"
    assert [row.language for row in queries.templates_for("es", DAY)] == ["es"]
    assert queries.templates_for("pl", DAY)[0].takes_paragraph


def test_what_cannot_be_written_is_refused(place, clerk):
    with pytest.raises(Invalid, match="more than 2,000"):
        send(clerk, place, free="x" * 2001)
    with pytest.raises(NotFound, match="no such letter"):
        operations.preview_letter(clerk, place.account.pk, "none", DAY)
    with pytest.raises(NotFound, match="no such account"):
        operations.preview_letter(clerk, 0, "balance", DAY)
    with pytest.raises(NotFound, match="no such account"):
        operations.send_letter(clerk, 0, "balance", DAY, NOW, "k9")
    with pytest.raises(Invalid, match="Nobody holds"):
        operations.preview_letter(clerk, place.account.pk, "balance", date(2019, 1, 1))
    with pytest.raises(NotFound):
        queries.letter("LT-none")
    with pytest.raises(NotPermitted):
        send(make_actor("carl", Role.CASHIER), place)
    assert Letter.objects.count() == 0


def test_a_letter_without_a_place_takes_no_paragraph(place, clerk):
    short = replace(BALANCE, code="short", body="Dear {{ holder }}.")
    operations.load_templates(program_actor(), [short], NOW)
    with pytest.raises(Invalid, match="no place for a paragraph"):
        operations.preview_letter(clerk, place.account.pk, "short", DAY, "More")


def test_the_citys_letters_are_sound_and_loading_again_changes_nothing(place):
    wordings = read_city(city_folder("chicago")).letters.templates()
    assert {each.language for each in wordings} == {"en", "es"}
    assert operations.load_templates(program_actor(), wordings, NOW) == len(wordings)
    assert operations.load_templates(program_actor(), wordings, NOW) == 0


def test_days_are_written_as_the_language_writes_them():
    assert in_words(DAY, "en") == "March 2, 2026"
