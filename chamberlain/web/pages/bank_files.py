"""The bank's files: taking one in, what was read of it, and the layouts of CSV files."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from chamberlain.kernel.errors import BadFile, BadRecord, Refused
from chamberlain.reconciliation import layouts, operations, queries
from chamberlain.reconciliation.files import mapped_csv
from chamberlain.reconciliation.files.mapped_csv import DATE_FORMATS, DELIMITERS, Layout
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.reconciliation import tabs

RECORDS_SHOWN = 200
_SAMPLE_ROWS = 8
_LAYOUTS = {"label": "CSV layouts", "url": "/reconciliation/layouts/"}


class BankFileForm(forms.Form):
    """A file from the bank."""

    file = forms.FileField(
        label="File from the bank", max_length=120, help_text="BAI2, camt, MT940, OFX or CSV."
    )
    layout = forms.ChoiceField(label="Layout, for a CSV", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = layouts.layout_names()
        choices = [("", "No CSV"), *((name, name) for name in names)]
        self.fields["layout"].choices = choices  # type: ignore[attr-defined]
        if not names:
            del self.fields["layout"]


class LayoutForm(forms.Form):
    """Which column of a bank's CSV is what, by the names in its header."""

    name = forms.CharField(label="Name of the bank or account", max_length=60)
    delimiter = forms.ChoiceField(label="Columns are parted by")
    skip_lines = forms.IntegerField(
        label="Rows above the header", min_value=0, max_value=50, initial=0
    )
    decimal_mark = forms.ChoiceField(
        label="Decimal mark", choices=[(".", "1,234.56"), (",", "1.234,56")]
    )
    date_format = forms.ChoiceField(label="Days are written", choices=list(DATE_FORMATS.items()))
    booked = forms.CharField(label="Day", max_length=80)
    value = forms.CharField(label="Value day", max_length=80, required=False)
    amount = forms.CharField(label="Amount, with its sign", max_length=80, required=False)
    credit = forms.CharField(label="Or: credits", max_length=80, required=False)
    debit = forms.CharField(label="and debits", max_length=80, required=False)
    balance = forms.CharField(
        label="Balance after it",
        max_length=80,
        required=False,
        help_text="With it every row is proved by the one before.",
    )
    account = forms.CharField(label="Account", max_length=80, required=False)
    account_number = forms.CharField(
        label="Or: the account's number",
        max_length=40,
        required=False,
        help_text="When the file is of one account and does not say which.",
    )
    type_code = forms.CharField(label="Kind of movement", max_length=80, required=False)
    bank_reference = forms.CharField(label="Bank's reference", max_length=80, required=False)
    customer_reference = forms.CharField(
        label="Customer's reference", max_length=80, required=False
    )
    text = forms.CharField(
        label="Text", max_length=200, required=False, help_text="One or more, parted by commas."
    )
    is_newest_first = forms.BooleanField(label="The newest row stands first", required=False)
    sample = forms.FileField(
        label="A file to try it on",
        required=False,
        max_length=120,
        help_text="It is looked at and not taken in.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        marks = [("tab" if mark == "\t" else mark, name) for mark, name in DELIMITERS.items()]
        self.fields["delimiter"].choices = marks  # type: ignore[attr-defined]

    def layout(self) -> Layout:
        """What was typed."""
        told = {name: value for name, value in self.cleaned_data.items() if name != "sample"}
        text = tuple(part.strip() for part in told.pop("text").split(",") if part.strip())
        mark = told.pop("delimiter")
        return Layout(**told, text=text, delimiter="\t" if mark == "tab" else mark)


def _fields_of(layout: Layout) -> dict[str, Any]:
    shown = {name: getattr(layout, name) for name in layout.__dataclass_fields__}
    shown["text"] = ", ".join(layout.text)
    shown["delimiter"] = "tab" if layout.delimiter == "\t" else layout.delimiter
    return shown


@require_http_methods(["GET", "HEAD", "POST"])
@needs("bank_file.read")
def read_file(request: OfficeRequest) -> HttpResponse:
    """Reads a file of the bank, or lists every bad line of it."""
    form = BankFileForm(request.POST or None, request.FILES or None)
    records: tuple[BadRecord, ...] = ()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            file_id = operations.read_bank_file(
                actor_of_page(request),
                file.name,
                file.read(),
                timezone.now(),
                form.cleaned_data.get("layout", ""),
            )
            return HttpResponseRedirect(reverse("reconciliation_file", args=[file_id]))
        except BadFile as refusal:
            records = refusal.records
            form.add_error("file", refusal.sentence)
        except Refused as refusal:
            form.add_error("file", refusal.sentence)
    context = {
        "tabs": tabs("reconciliation_files"),
        "upload": form,
        "records": records[:RECORDS_SHOWN],
        "more_records": max(len(records) - RECORDS_SHOWN, 0),
    }
    return render(request, "reconciliation/read.html", context)


@require_GET
@needs("reconciliation.view")
def files(request: OfficeRequest) -> HttpResponse:
    """The bank's files that were read."""
    context = {
        "tabs": tabs("reconciliation_files"),
        "files": queries.bank_files(),
        "may_read": actor_of_page(request).may("bank_file.read"),
    }
    return render(request, "reconciliation/files.html", context)


@require_GET
@needs("reconciliation.view")
def file(request: OfficeRequest, file_id: int) -> HttpResponse:
    """One file with its statements and lines."""
    view = queries.bank_file(file_id)
    crumbs = [
        {"label": "Reconciliation", "url": reverse("reconciliation")},
        {"label": "Bank files", "url": reverse("reconciliation_files")},
        {"label": view.name},
    ]
    return render(request, "reconciliation/file.html", {"file": view, "breadcrumbs": crumbs})


@require_GET
@needs("reconciliation.view")
def layouts_of_banks(request: OfficeRequest) -> HttpResponse:
    """The layouts that are kept."""
    context = {
        "tabs": tabs("reconciliation_layouts"),
        "layouts": [layouts.layout_of(name) for name in layouts.layout_names()],
        "may_change": actor_of_page(request).may("bank_file.read"),
    }
    return render(request, "reconciliation/layouts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("bank_file.read")
def layout(request: OfficeRequest) -> HttpResponse:
    """A layout, new or changed, tried on a file before it is kept."""
    name = request.GET.get("name", "")
    initial = _fields_of(layouts.layout_of(name)) if name else {}
    form = LayoutForm(request.POST or None, request.FILES or None, initial=initial)
    context: dict[str, Any] = {
        "form": form,
        "breadcrumbs": [_LAYOUTS, {"label": name or "New layout"}],
    }
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("do") == "try":
                context |= _try(form)
            else:
                operations.save_layout(actor_of_page(request), form.layout(), timezone.now())
                messages.success(request, "The layout was kept.")
                return redirect("reconciliation_layouts")
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "reconciliation/layout.html", context)


def _try(form: LayoutForm) -> dict[str, Any]:
    """What the layout makes of the sample: its header, its first rows, what is wrong."""
    sample = form.cleaned_data.get("sample")
    if sample is None:
        form.add_error("sample", "Choose a file to try the layout on.")
        return {}
    content, layout = sample.read(), form.layout()
    for field, sentence in layout.faults():
        form.add_error(field, sentence)
    tried: dict[str, Any] = {
        "header": mapped_csv.header_of(content, layout.delimiter, layout.skip_lines)
    }
    if form.errors:
        return tried
    try:
        told = mapped_csv.read(content, layout)
    except BadFile as refusal:
        form.add_error("sample", refusal.sentence)
        return tried | {"records": refusal.records[:RECORDS_SHOWN]}
    except Refused as refusal:
        form.add_error("sample", refusal.sentence)
        return tried
    rows = [
        {**row, "account": day.account_number}
        for day in told.days
        for row in day.movements.head(_SAMPLE_ROWS).iter_rows(named=True)
    ]
    return tried | {
        "rows": rows[:_SAMPLE_ROWS],
        "count": sum(day.movements.height for day in told.days),
        "records": told.differences[:RECORDS_SHOWN],
    }


urlpatterns = [
    path("reconciliation/files/read/", read_file, name="reconciliation_read"),
    path("reconciliation/files/", files, name="reconciliation_files"),
    path("reconciliation/files/<int:file_id>/", file, name="reconciliation_file"),
    path("reconciliation/layouts/", layouts_of_banks, name="reconciliation_layouts"),
    path("reconciliation/layouts/layout/", layout, name="reconciliation_layout"),
]
