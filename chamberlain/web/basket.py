"""The counter's form: a basket of accounts, an amount for each charge, and what is handed over.

All of its state is in the form, so nothing that was typed is lost when something is refused, two
tabs do not disturb each other, and no name or number stands in an address.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict

from chamberlain.cashiering import baskets
from chamberlain.cashiering.baskets import BasketAccount, BasketDocument, BasketFigures
from chamberlain.cashiering.checks import bank_line
from chamberlain.cashiering.stock.selling import Order
from chamberlain.cashiering.tendering import TENDERS_MAX, TenderLine, check_tenders
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import OpenCharge
from chamberlain.revenue.queries import offers
from chamberlain.web.fields import DollarsField, dollars

TENDERS = {"cash": "Cash", "check": "Check", "money_order": "Money order", "card": "Card"}
_OTHER_TENDERS = [(kind, TENDERS[kind]) for kind in ("money_order", "card", "check", "cash")]
_FIXED = ("cash", "check")
_KEYS = ("F7", "F8")
_FINDER = {
    "data-key": "F2",
    "data-search": "",
    "data-results": "found",
    "autocomplete": "off",
    "spellcheck": "false",
    "class": "finder__input",
    "hx-post": "/counter/find",
    "hx-trigger": "input changed delay:180ms",
    "hx-target": "#found",
    "hx-select": "unset",
    "hx-swap": "innerHTML",
    "hx-params": "q,csrfmiddlewaretoken",
    "hx-sync": "this:replace",
}
ACCOUNTS_MAX = 20
_GROUPS = {
    "sticker": "Vehicle stickers",
    "business_license": "Business licenses",
    "animal_license": "Animal licenses",
}
_SOLD = ("sell_fee", "sell_subject", "sell_months", "sell_number", "sell_key")


@dataclass(frozen=True, slots=True)
class ChargeField:
    """A charge with the field for what is paid on it."""

    charge: OpenCharge
    field: forms.BoundField


@dataclass(frozen=True, slots=True)
class PaperFields:
    """A bill or citation with the fields of its charges."""

    paper: BasketDocument
    charges: list[ChargeField]


@dataclass(frozen=True, slots=True)
class AccountFields:
    """An account of the basket with its papers."""

    account: BasketAccount
    papers: list[PaperFields]
    is_payer: bool


@dataclass(frozen=True, slots=True)
class TenderFields:
    """A line for something handed over; a line of cash has no number."""

    label: str
    kind: forms.BoundField | None
    cents: forms.BoundField
    number: forms.BoundField | None
    key: str

    @property
    def problems(self) -> list[forms.BoundField]:
        """Its fields that are wrong."""
        fields = (self.kind, self.cents, self.number)
        return [field for field in fields if field is not None and field.errors]


class BasketForm(forms.Form):
    """The basket as it was posted, with a field for every open charge of its accounts."""

    q = forms.CharField(label="Find a customer, or scan a bill", max_length=100, required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    on_account = DollarsField(label="Amount on account", required=False)
    keep = forms.BooleanField(label="Keep what is over as credit", required=False)
    park_note = forms.CharField(label="Note for the parked basket", max_length=80, required=False)
    sell_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    approver = forms.CharField(label="Supervisor: username", max_length=150, required=False)
    approver_password = forms.CharField(
        label="Supervisor: password",
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, posted: QueryDict, today: date) -> None:
        data = posted.copy()
        known = _ids(data.getlist("account"))
        found = baskets.account_of_paper(data.get("add", ""))
        added = [] if found is None else [found]
        removed = set(_ids([data.get("drop", "")]))
        wanted = [i for i in dict.fromkeys([*known, *added]) if i not in removed][:ACCOUNTS_MAX]
        self.accounts = baskets.basket_accounts(wanted, today)
        for account in self.accounts:
            if account.account_id not in known:
                for charge in account.charges:
                    data[f"pay-{charge.charge_id}"] = dollars(charge.open_cents)
        self.tender_rows = _row_count(data)
        data["rows"] = str(self.tender_rows)
        for key in ("key", "sell_key"):
            if not data.get(key):
                data[key] = secrets.token_hex(16)
        self.today = today
        super().__init__(data, auto_id="%s")
        self._add_fields()

    def _add_fields(self) -> None:
        self.fields["q"].widget.attrs.update(_FINDER)
        # The space lets the style sheet tell whether something was typed.
        self.fields["on_account"].widget.attrs.update({"data-key": "F4", "placeholder": " "})
        for account in self.accounts:
            for charge in account.charges:
                label = f"{charge.kind_name} {charge.document}: amount to pay"
                field = DollarsField(label=label, required=False)
                field.widget.attrs["aria-label"] = label
                self.fields[f"pay-{charge.charge_id}"] = field
        for row in range(self.tender_rows):
            what = TENDERS[_FIXED[row]] if row < len(_FIXED) else f"Tender {row + 1}"
            self.fields[f"cents-{row}"] = DollarsField(label=f"{what}: amount", required=False)
            if row < len(_FIXED):
                self.fields[f"cents-{row}"].widget.attrs["data-key"] = _KEYS[row]
            if row != 0:
                self.fields[f"number-{row}"] = forms.CharField(
                    label=f"{what}: number", max_length=bank_line.LONGEST, required=False
                )
                attrs = {"autocomplete": "off", "placeholder": "Number"}
                self.fields[f"number-{row}"].widget.attrs.update(attrs)
            if row >= len(_FIXED):
                self.fields[f"kind-{row}"] = forms.ChoiceField(
                    label=f"{what}: kind", choices=_OTHER_TENDERS, required=False
                )
        if self.accounts:
            self.fields.update(self._selling_fields())

    def _selling_fields(self) -> dict[str, forms.Field]:
        """The fields by which something is sold to an account of the basket.

        The prices are looked up only when they are shown or something was chosen, not for the
        figures while amounts are typed.
        """
        fields: dict[str, forms.Field] = {
            "sell_fee": forms.ChoiceField(
                label="What is sold", required=False, choices=lambda: self.offered
            ),
            "sell_subject": forms.CharField(
                label="Plate, animal, name", max_length=120, required=False
            ),
            "sell_months": forms.IntegerField(
                label="Months, or times", min_value=1, max_value=1000, required=False
            ),
            "sell_number": forms.CharField(
                label="Number on the item", max_length=30, required=False
            ),
        }
        if len(self.accounts) > 1:
            fields["sell_to"] = forms.TypedChoiceField(
                label="For account",
                coerce=int,
                required=False,
                choices=[(a.account_id, f"{a.number} {a.holder}".strip()) for a in self.accounts],
            )
        fields["sell_fee"].widget.attrs["data-key"] = "F6"
        for name in ("sell_subject", "sell_number"):
            fields[name].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})
        fields["sell_number"].widget.attrs["placeholder"] = "The next one"
        return fields

    @cached_property
    def offered(self) -> list[Any]:
        """What can be sold, by kind, with its price; empty when the city sells nothing."""
        return _choices(self.today)

    def clean(self) -> dict[str, Any]:
        """Refuses more than is open on a charge, and tenders that are not whole."""
        cleaned = super().clean() or self.cleaned_data
        for account in self.accounts:
            for charge in account.charges:
                name = f"pay-{charge.charge_id}"
                if (cleaned.get(name) or 0) > charge.open_cents:
                    self.add_error(name, f"Only {show_cents(charge.open_cents)} is open.")
        self._check_bank_lines()
        rows = self._handed_over()
        for position, (row, _) in enumerate(rows, start=1):
            try:
                check_tenders([tender for _, tender in rows[:position]])
            except Invalid as refusal:
                field = f"number-{row}" if refusal.field == "reference" else f"cents-{row}"
                self.add_error(field if field in self.fields else None, refusal.sentence)
                break
        return cleaned

    def _check_bank_lines(self) -> None:
        for row in range(1, self.tender_rows):
            number = self._number(row)
            if self._kind(row) == "check" and bank_line.is_bank_line(number):
                try:
                    bank_line.read(number)
                except Invalid as refusal:
                    self.add_error(f"number-{row}", refusal.sentence)

    def _handed_over(self) -> list[tuple[int, TenderLine]]:
        rows = []
        for row in range(self.tender_rows):
            cents = self.cleaned_data.get(f"cents-{row}")
            if cents:
                rows.append((row, self._tender(row, cents)))
        return rows

    def _tender(self, row: int, cents: int) -> TenderLine:
        """What a line hands over; a bottom line that is wrong was taken out by `clean`."""
        kind, number = self._kind(row), self._number(row)
        if kind == "check" and bank_line.is_bank_line(number):
            line = bank_line.read(number)
            return TenderLine(kind, cents, line.number, line)
        return TenderLine(kind, cents, number)

    def _kind(self, row: int) -> str:
        if row < len(_FIXED):
            return _FIXED[row]
        return self.cleaned_data.get(f"kind-{row}") or _OTHER_TENDERS[0][0]

    def _number(self, row: int) -> str:
        return "" if self._kind(row) == "cash" else self.cleaned_data.get(f"number-{row}") or ""

    @property
    def payer(self) -> BasketAccount | None:
        """The account that was put into the basket first."""
        return self.accounts[0] if self.accounts else None

    @property
    def on_account_cents(self) -> int:
        """What the payer pays on account, in the city's order of charges."""
        return self.cleaned_data.get("on_account") or 0

    @property
    def tenders(self) -> list[TenderLine]:
        """What is handed over."""
        return [tender for _, tender in self._handed_over()]

    @property
    def amounts(self) -> dict[int, int]:
        """Cents by open charge that is paid by name; the payer's are not when paid on account."""
        named = self.accounts[1:] if self.on_account_cents else self.accounts
        found = {}
        for account in named:
            for charge in account.charges:
                cents = self.cleaned_data.get(f"pay-{charge.charge_id}")
                if cents:
                    found[charge.charge_id] = cents
        return found

    @property
    def settled_meanwhile(self) -> list[tuple[int, int]]:
        """Charges that were paid by name here and have nothing open any more."""
        known = {f"pay-{c.charge_id}" for account in self.accounts for c in account.charges}
        found = []
        for name in self.data:
            if name.startswith("pay-") and name not in known and not self.on_account_cents:
                cents = _cents_or_none(self.data[name])
                found += [(i, cents) for i in _ids([name.removeprefix("pay-")]) if cents]
        return found

    @property
    def figures(self) -> BasketFigures:
        """Total, tendered, missing or change, as the form stands."""
        return baskets.basket_figures(
            self.amounts,
            self.tenders,
            payer=self.payer,
            on_account_cents=self.on_account_cents,
            keep_as_credit=self.cleaned_data.get("keep", False),
        )

    @property
    def account_fields(self) -> list[AccountFields]:
        """The accounts with the fields of their charges, for the page."""
        return [
            AccountFields(
                account,
                [
                    PaperFields(
                        paper,
                        [ChargeField(c, self[f"pay-{c.charge_id}"]) for c in paper.charges],
                    )
                    for paper in account.documents
                ],
                position == 0,
            )
            for position, account in enumerate(self.accounts)
        ]

    @property
    def tender_fields(self) -> list[TenderFields]:
        """The lines of what is handed over, for the page."""
        return [
            TenderFields(
                TENDERS[_FIXED[row]] if row < len(_FIXED) else f"Tender {row + 1}",
                self[f"kind-{row}"] if row >= len(_FIXED) else None,
                self[f"cents-{row}"],
                self[f"number-{row}"] if row else None,
                _KEYS[row] if row < len(_FIXED) else "",
            )
            for row in range(self.tender_rows)
        ]

    @property
    def order(self) -> Order:
        """What is to be sold. Raises Invalid naming the field that is not filled in."""
        typed = self.cleaned_data
        for name, what in (("sell_fee", "Choose what is sold."), ("sell_subject", _SUBJECT)):
            if not typed.get(name):
                raise Invalid(what, field=name)
        to = typed.get("sell_to") or self.accounts[0].account_id
        return Order(
            int(to),
            typed["sell_fee"],
            typed["sell_subject"],
            months=typed.get("sell_months") or 12,
            times=typed.get("sell_months") or 1,
            typed=typed.get("sell_number") or "",
        )

    @property
    def to_park(self) -> dict[str, list[str]]:
        """What is kept of a basket that is put aside: its accounts and amounts, no tenders."""
        kept = {"account": [str(account.account_id) for account in self.accounts]}
        for name in self.data:
            if name.startswith("pay-") or name in ("on_account", "keep"):
                kept[name] = [str(self.data[name])]
        return kept

    def with_sold(self, charges: Sequence[tuple[int, int]]) -> "BasketForm":
        """The same basket with what was just sold in it, and nothing more to be sold."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data.setlist("account", [str(account.account_id) for account in self.accounts])
        for name in ("add", "drop", *_SOLD):
            data.pop(name, None)
        for charge_id, cents in charges:
            data[f"pay-{charge_id}"] = dollars(cents)
        form = BasketForm(data, self.today)
        form.full_clean()
        return form

    def fill_in_cash(self) -> None:
        """Types what the other tenders leave to be paid as cash."""
        others = [tender for row, tender in self._handed_over() if row != 0]
        rest = baskets.basket_figures(
            self.amounts, others, payer=self.payer, on_account_cents=self.on_account_cents
        ).missing_cents
        self.type_in("cents-0", dollars(rest) if rest else "")

    def start_at(self, name: str) -> None:
        """The field that takes the focus when the page is shown."""
        if name in self.fields:
            self.fields[name].widget.attrs.update({"data-autofocus": "", "autofocus": True})

    def type_in(self, name: str, text: str) -> None:
        """Puts a text into a field, as if it had been typed, and reads the form again."""
        self.data[name] = text  # type: ignore[index]
        self.full_clean()


_SUBJECT = "Type what it is for: the plate, the animal or the name of the business."


def _choices(today: date) -> list[Any]:
    """What can be sold, by kind, with its price."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for offer in offers(today):
        term = f" for {offer.term_months} months" if offer.term_months else ""
        label = f"{offer.name}, {show_cents(offer.cents)}{term}"
        groups.setdefault(_GROUPS.get(offer.kind, "Other fees"), []).append((offer.code, label))
    return [("", "Choose"), *groups.items()] if groups else []


def _ids(texts: Sequence[str]) -> list[int]:
    return [int(t) for t in texts if t.isascii() and t.isdigit() and len(t) < 19]


def _row_count(data: QueryDict) -> int:
    rows = _ids([str(data.get("rows", ""))]) or [len(_FIXED)]
    wanted = rows[0] + (data.get("do") == "tender")
    return max(len(_FIXED), min(wanted, TENDERS_MAX))


def _cents_or_none(text: str) -> int | None:
    try:
        return DollarsField(required=False).clean(text)
    except forms.ValidationError:
        return None
