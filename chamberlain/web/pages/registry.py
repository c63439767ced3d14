"""A property and a customer with everything that is on file, and how it is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chamberlain.billing.occupancy import billed_otherwise
from chamberlain.casework.timeline import changes_in_words
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused
from chamberlain.registry import operations, preferences, queries, record
from chamberlain.registry.document_queries import KINDS, documents_of_property
from chamberlain.registry.preferences import LANGUAGE_NAMES
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.registry_forms import (
    ContactForm,
    MailForm,
    MarkForm,
    NameForm,
    NumberForm,
)
from chamberlain.web.paging import page_of

ACCOUNTS = {"label": "Accounts", "url": "/accounts/"}
_SHOWN_CHANGES = 40


@needs("account.view")
@require_safe
def property_page(request: OfficeRequest, property_id: int) -> HttpResponse:
    """A property: what it is and was, its owners, accounts, documents and history."""
    actor = actor_of_page(request)
    found = record.property_record(property_id)
    sees_documents = actor.may("document.view")
    values = {
        "property": found,
        "uses": record.uses(property_id),
        "owners": queries.owners(property_id),
        "today": timezone.localdate(),
        "accounts": record.accounts_at(property_id),
        "may_rebill": actor.may("bill.rebill"),
        "otherwise": billed_otherwise(property_id) if actor.may("billing.view") else [],
        "sees_terms": actor.may("billing.view"),
        "sees_documents": sees_documents,
        "documents": documents_of_property(property_id) if sees_documents else [],
        "kinds": KINDS,
        "may_keep": actor.may("document.keep"),
        "may_move": actor.may("customer.change"),
        "may_change": actor.may("property.change") or actor.may("property.approve_change"),
        "sees_changes": actor.may("history.view"),
        "changes": list(changes_in_words(record.changes_of_property(property_id, _SHOWN_CHANGES))),
        "breadcrumbs": [ACCOUNTS, {"label": found.address}],
    }
    return render(request, "registry/property.html", values)


@needs("account.view")
@require_safe
def customer_page(request: OfficeRequest, customer_id: int) -> HttpResponse:
    """A customer: contacts, wishes, marks, accounts, properties and history."""
    return _customer(request, customer_id, {})


@dataclass(frozen=True, slots=True)
class _Change:
    """A form of the customer's page: what it is called, and what it does. do returns a sentence."""

    form: type[forms.Form]
    do: Callable[[Actor, int, dict[str, Any]], str]


def _rename(actor: Actor, customer_id: int, given: dict[str, Any]) -> str:
    operations.rename_customer(actor, customer_id, given["name"])
    return "The name was changed; the one before stays in the history."


def _add_contact(actor: Actor, customer_id: int, given: dict[str, Any]) -> str:
    operations.add_contact(actor, customer_id, given["kind"], given["value"])
    return "The contact was added."


def _choose_mail(actor: Actor, customer_id: int, given: dict[str, Any]) -> str:
    preferences.choose_mail(actor, customer_id, given["language"], given["is_paperless"])
    return "The customer's wishes were changed."


def _mark(actor: Actor, customer_id: int, given: dict[str, Any]) -> str:
    preferences.mark_customer(
        actor, customer_id, given["kind"], given["from_on"], timezone.localdate(),
        given["reference"],
    )  # fmt: skip
    return "The mark stands on every account of the customer."


def _keep_number(actor: Actor, customer_id: int, given: dict[str, Any]) -> str:
    preferences.keep_personal_number(actor, customer_id, given["kind"], given["number"])
    return "The number was kept."


_CHANGES = {
    "name": _Change(NameForm, _rename),
    "contact": _Change(ContactForm, _add_contact),
    "mail": _Change(MailForm, _choose_mail),
    "mark": _Change(MarkForm, _mark),
    "number": _Change(NumberForm, _keep_number),
}


@needs("customer.change")
@require_POST
def change_customer(request: OfficeRequest, customer_id: int, what: str) -> HttpResponse:
    """Does what one of the forms of the customer's page says."""
    if what not in _CHANGES:
        raise Http404
    change = _CHANGES[what]
    form = change.form(request.POST, auto_id=f"{what}_%s")
    if form.is_valid():
        try:
            said = change.do(actor_of_page(request), customer_id, form.cleaned_data)
            messages.success(request, said)
            return redirect("customer", customer_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _customer(request, customer_id, {what: form})


_REMOVALS: dict[str, Callable[[Actor, int], None]] = {
    "contact": operations.remove_contact,
    "number": preferences.remove_personal_number,
    "mark": lambda actor, mark: preferences.end_mark(actor, mark, timezone.localdate()),
}


@needs("customer.change")
@require_POST
def remove(request: OfficeRequest, customer_id: int, what: str, item_id: int) -> HttpResponse:
    """Takes a contact or a number off, or ends a mark today; the history keeps them."""
    if what not in _REMOVALS:
        raise Http404
    _REMOVALS[what](actor_of_page(request), item_id)
    messages.success(request, "Done; the history keeps what was there.")
    return redirect("customer", customer_id)


def _customer(request: OfficeRequest, customer_id: int, bad: dict[str, forms.Form]) -> HttpResponse:
    actor = actor_of_page(request)
    found = record.customer_record(customer_id)
    unmasked = actor.may("contact.view")
    today = timezone.localdate()
    first: dict[str, dict[str, Any]] = {
        "name": {"name": found.name},
        "mail": {"language": found.language, "is_paperless": found.is_paperless},
        "mark": {"from_on": today},
    }
    shown = {
        what: bad.get(what) or change.form(initial=first.get(what), auto_id=f"{what}_%s")
        for what, change in _CHANGES.items()
    }

    def fetch(limit: int, offset: int) -> list[record.HeldAccount]:
        return record.accounts_of_customer(customer_id, limit, offset)

    values = {
        "customer": found,
        "language": LANGUAGE_NAMES.get(found.language, found.language),
        "contacts": queries.contacts(customer_id, unmasked=unmasked),
        "unmasked": unmasked,
        "marks": record.marks(customer_id),
        "numbers": record.personal_numbers(customer_id, unmasked=actor.may("personal.view")),
        "sees_numbers": actor.may("personal.view"),
        "page": page_of(request, record.count_accounts_of_customer(customer_id), fetch, 25),
        "properties": queries.properties_of(customer_id),
        "may_change": actor.may("customer.change"),
        "forms": shown,
        "bad_form": next(iter(bad.values()), None),
        "sees_changes": actor.may("history.view"),
        "changes": list(
            changes_in_words(
                record.changes_of_customer(customer_id, unmasked=unmasked, limit=_SHOWN_CHANGES)
            )
        ),
        "breadcrumbs": [ACCOUNTS, {"label": found.name}],
    }
    return render(request, "registry/customer.html", values, status=422 if bad else 200)


urlpatterns = [
    path("properties/<int:property_id>/", property_page, name="property"),
    path("customers/<int:customer_id>/", customer_page, name="customer"),
    path("customers/<int:customer_id>/<slug:what>", change_customer, name="change_customer"),
    path(
        "customers/<int:customer_id>/<slug:what>/<int:item_id>/remove",
        remove,
        name="remove_from_customer",
    ),
]
