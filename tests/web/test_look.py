"""The page of all components: strict content policy, accessibility, and the keyboard."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django import forms
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import Client, override_settings
from django.test.testcases import LiveServerThread
from django_cotton.compiler_regex import CottonCompiler
from playwright.sync_api import Browser, Page

from chamberlain.web import assets
from tests.web import look_urls

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
}

with_components = override_settings(ROOT_URLCONF="tests.web.look_urls", STORAGES=STORAGES)


@with_components
def shown(source: str, **values: object) -> str:
    html = Template(CottonCompiler().process(source)).render(Context(values))
    return re.sub(r"\s+", " ", html)


class PaymentForm(forms.Form):
    """A form as a page would have it."""

    amount = forms.CharField(help_text="Dollars and cents")
    paper = forms.BooleanField(required=False)
    tender = forms.ChoiceField(
        choices=[("cash", "Cash"), ("check", "Check")], widget=forms.RadioSelect
    )
    till = forms.CharField(widget=forms.HiddenInput)


@with_components
def test_no_page_carries_inline_script_or_style() -> None:
    html = Client().get("/").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|<style", html)
    assert not re.search(r"<c-|</c-|\{\{|\{%", html)


@pytest.mark.django_db
@with_components
def test_the_sign_in_page_asks_only_for_name_and_password() -> None:
    html = Client().get("/sign-in/login/").content.decode()
    names = re.findall(r'<input[^>]* name="(\w+)"', html)
    assert names == ["csrfmiddlewaretoken", "login", "password"]


def test_an_error_stands_beside_its_field_and_is_tied_to_it() -> None:
    form = PaymentForm({"tender": "gold", "till": "3"})
    html = shown('<c-field :field="form.amount" />', form=form)
    assert 'aria-describedby="id_amount_hint id_amount_problem"' in html
    assert 'id="id_amount_problem">This field is required.' in html
    assert 'aria-invalid="true"' in html


def test_choices_are_a_group_with_a_legend() -> None:
    html = shown('<c-field :field="form.tender" />', form=PaymentForm())
    assert "<legend" in html
    assert html.count('type="radio"') == 2


def test_a_hidden_field_has_no_label() -> None:
    assert "<label" not in shown('<c-field :field="form.till" />', form=PaymentForm())


def test_the_summary_of_errors_links_to_each_field() -> None:
    html = shown('<c-error-summary :form="form" />', form=PaymentForm({"till": "3"}))
    assert '<a href="#id_amount">' in html
    assert '<a href="#id_tender">' in html
    assert shown('<c-error-summary :form="form" />', form=PaymentForm()).strip() == ""


def test_a_value_of_the_page_does_not_leak_into_a_component() -> None:
    html = shown('<c-explained label="Water" :cents="cents" />', cents=5, total=9, open=True)
    assert "explained--total" not in html
    assert " open" not in html


def test_an_empty_table_says_so_in_words() -> None:
    html = shown('<c-table caption="Worklist" :rows="rows" empty="Nothing waits." />', rows=[])
    assert "Nothing waits." in html
    assert "<table" not in html


def test_pages_in_the_middle_are_left_out() -> None:
    page = Paginator(range(811), 50).page(8)
    html = shown('<c-pagination :page="page" base="?kind=held&" />', page=page)
    assert 'href="?kind=held&amp;page=9"' in html
    assert html.count("…") == 2
    assert "351–400 of" in html


def test_progress_that_ended_asks_no_more() -> None:
    source = '<c-progress :done="done" :total="8" poll="/p" stop="/s" :state="state" />'
    assert 'hx-get="/p"' in shown(source, done=3, state="running")
    ended = shown(source, done=8, state="done")
    assert "hx-get" not in ended
    assert "<form" not in ended


def test_the_assets_are_built_once() -> None:
    assets.build()
    assert assets.build() is False
    css = (assets.VENDOR / "uswds" / "css" / "uswds.css").read_text(encoding="utf-8")
    assert css.startswith("@layer uswds{")
    for url in re.findall(r"url\(\.\./([^)]+)\)", css):
        assert (assets.VENDOR / "uswds" / url).is_file()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    assets.build()
    with with_components:
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        yield f"http://127.0.0.1:{server.port}/"
        server.terminate()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    opened.goto(address)
    yield opened
    context.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 640, 390])
def test_every_component_is_accessible_and_fits(
    browser: Browser, address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    opened = context.new_page()
    for path in ("", "sign-in-card"):
        answer = opened.goto(address + path)
        assert answer is not None
        assert answer.ok
        found = Axe().run(opened, options={"runOnly": RULES}).response["violations"]
        assert [(problem["id"], problem["nodes"][0]["html"]) for problem in found] == []
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_a_slash_finds_an_account_without_the_mouse(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("kow")
    page.wait_for_selector(".search__list a")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/accounts/1/"
    page.keyboard.press("Escape")
    assert page.locator(".search__list").count() == 0
    assert "kow" not in page.url


def test_a_double_click_sends_a_payment_once(page: Page) -> None:
    look_urls.POSTED.clear()
    page.fill("#cash", "300.00")
    page.evaluate("document.querySelector('#cash').form.action = '/'")
    page.get_by_role("button", name="Post payment").dblclick()
    page.wait_for_load_state("networkidle")
    assert look_urls.POSTED == ["300.00"]


def test_a_form_that_is_on_its_way_is_not_sent_again(page: Page) -> None:
    sent = page.evaluate(
        """() => {
            let sent = 0;
            window.addEventListener("submit", (event) => {
                event.preventDefault();
                sent += 1;
            });
            const button = document.querySelector("[data-key=F9]");
            button.click();
            button.click();
            return sent;
        }"""
    )
    assert sent == 1


def test_a_key_presses_the_button_that_names_it(page: Page) -> None:
    page.evaluate("document.querySelector('[data-key=F9]').type = 'button'")
    page.evaluate("document.querySelector('[data-key=F9]').onclick = () => (window.pressed = 1)")
    page.focus("#cash")
    page.keyboard.press("F9")
    assert page.evaluate("window.pressed") == 1


def test_counted_pieces_add_up_to_the_cent(page: Page) -> None:
    page.fill("#count-q", "3")
    page.fill("#count-1", "7")
    assert page.inner_text("[data-total]") == "$1,127.75"


def test_a_dialog_asks_before_a_receipt_is_void(page: Page) -> None:
    page.get_by_role("button", name="Void").first.click()
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0


def test_the_menus_open_without_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    opened = context.new_page()
    opened.goto(address)
    opened.locator(".drop--nav > summary").click()
    assert opened.locator(".drop--nav a").first.is_visible()
    context.close()
