"""The wording of letters: what is taken, what is refused, and that data stays data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.casework.letters.fields import CATALOG, FREE
from chamberlain.casework.letters.wording import (
    Block,
    blocks_of,
    check_wording,
    fields_of,
    merge_body,
    merge_text,
    plain,
)
from chamberlain.kernel.errors import Invalid

BODY = (
    "Dear {{ holder }},\n\n## You owe\n- {{balance}}\n- by {{ due_date }}\n\n{{ free_paragraph }}"
)


def test_a_body_is_headings_paragraphs_and_lists():
    assert blocks_of("One\ntwo.\r\n\r\n## Head\n- a\n- b\n\n \n\n## Alone") == (
        Block("paragraph", ("One two.",)),
        Block("heading", ("Head",)),
        Block("list", ("a", "b")),
        Block("heading", ("Alone",)),
    )


def test_fields_are_named_once_each():
    assert fields_of(BODY + "{{ holder }}") == ("holder", "balance", "due_date", FREE)


@pytest.mark.parametrize(
    ("field", "near"),
    [("balanse", "balance"), ("Holders", "holder"), ("service_adress", "service")],
)
def test_an_unknown_field_is_named_with_the_nearest_known(field, near):
    with pytest.raises(Invalid, match=f"no field “{field}”; the nearest.*“{near}") as refused:
        check_wording("Subject", f"{{{{ {field} }}}}")
    assert refused.value.field == "body"


def test_a_field_like_no_other_is_refused_without_advice():
    with pytest.raises(Invalid, match="choose one of the list"):
        check_wording("{{ zzzzzzqq }}", "Body")


@pytest.mark.parametrize(
    ("subject", "body", "sentence"),
    [
        ("", "Body", "The subject is empty"),
        ("Subject", "  ", "The body is empty"),
        ("S" * 121, "Body", "more than 120"),
        ("Subject", "a\0b", "no text"),
        ("Subject", "{{ balance", "do not close"),
        ("Subject", "balance }}", "do not close"),
        ("{{ free_paragraph }}", "Body", "not the subject"),
        ("Subject", "Hello {{ free_paragraph }}", "stands alone"),
        ("Subject", "{% if balance %}{{ 7*7 }}{% endif %}", "no field “7.7”"),
    ],
)
def test_a_wording_that_would_not_print_is_refused(subject, body, sentence):
    with pytest.raises(Invalid, match=sentence):
        check_wording(subject, body)


def test_a_sound_wording_is_taken():
    check_wording("About {{ account_number }}", BODY)


def test_an_account_without_a_value_is_refused_by_the_fields_name():
    with pytest.raises(Invalid, match="nothing for “plan_number”"):
        merge_text("Plan {{ plan_number }}", {"plan_number": ""})


def test_the_free_paragraph_is_left_out_when_nothing_is_written():
    values = {"holder": "Ana", "balance": "$1.00", "due_date": "May 1"}
    assert plain(merge_body(BODY, values, "")) == "Dear Ana,\n\nYou owe\n\n- $1.00\n- by May 1"
    assert merge_body(BODY, values, "One.\n\nTwo\nlines.")[-2:] == (
        Block("paragraph", ("One.",)),
        Block("paragraph", ("Two lines.",)),
    )


@given(st.text(min_size=1), st.text())
def test_what_is_on_file_never_becomes_structure(name, free):
    values = dict.fromkeys(CATALOG, name)
    made = merge_body(BODY, values, free)
    assert [block.kind for block in made[:3]] == ["paragraph", "heading", "list"]
    assert made[0].items == (f"Dear {name},",)
    assert all(block.kind == "paragraph" for block in made[3:])
