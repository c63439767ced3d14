"""Texts of the public pages are complete in every language, and compiled as they are written."""

import gettext
import io
from pathlib import Path

from chamberlain.web import catalogs
from checks import catalogs as check

PO = """# A comment.
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "A \\"bill\\""
msgstr ""
"Una "
"factura"

msgctxt "day"
msgid "on"
msgstr "el"

msgid "%(count)d bill"
msgid_plural "%(count)d bills"
msgstr[0] "%(count)d factura"
msgstr[1] "%(count)d facturas"

msgid "not yet"
msgstr ""
"""


def test_what_is_written_in_a_catalog_is_what_gettext_says():
    found = catalogs.read_po(PO)
    said = gettext.GNUTranslations(io.BytesIO(catalogs.mo_bytes(found)))  # type: ignore[arg-type]
    assert said.gettext('A "bill"') == "Una factura"
    assert said.pgettext("day", "on") == "el"
    assert said.ngettext("%(count)d bill", "%(count)d bills", 2) == "%(count)d facturas"
    assert said.gettext("not yet") == "not yet"


def test_texts_are_found_where_code_and_pages_say_them():
    code = '_("one"); ngettext("a", "b", n); pgettext("x", "y"); other("no"); _(variable)'
    assert list(check.texts_in_python(code)) == ["one", "a\0b", "x\x04y"]
    page = (
        """{% translate "one" %}<a title="{% translate 'it' %}">{% translate variable %}"""
        "{% blocktranslate with a=b|money_text %}{{ a }} of it{% endblocktranslate %}"
    )
    assert list(check.texts_in_template(page)) == ["one", "it", "%(a)s of it"]


def test_every_text_is_in_every_catalog():
    assert list(check.findings()) == []


def test_an_incomplete_catalog_is_said(tmp_path: Path, monkeypatch):
    folder = tmp_path / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(
        'msgid "%(amount)s of it"\nmsgstr "de eso"\n\nmsgid "old"\nmsgstr "viejo"\n\n'
        'msgid "empty"\nmsgstr ""\n'
    )
    monkeypatch.setattr(check, "LOCALES", tmp_path)
    monkeypatch.setattr(check, "texts", lambda: {"%(amount)s of it", "missing", "empty"})
    found = " ".join(check.findings())
    for said in (
        "lacks “missing”",
        "has “old”",
        "does not translate “empty”",
        "with other values",
        "run python -m",
    ):
        assert said in found
