"""Users: who works here, with which roles where and when, their passwords, tokens and history."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.identity import operations, queries, tokens
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import Refused
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.user_history import history_of_user

_USERS = {"label": "Users", "url": "/users/"}


class DayField(forms.DateField):
    """A day, chosen in the browser's own calendar."""

    widget = forms.DateInput(attrs={"type": "date"})


class UserForm(forms.Form):
    """Name and e-mail."""

    display_name = forms.CharField(label="Name", max_length=120)
    email = forms.EmailField(
        label="E-mail", required=False, help_text="The city's own sign-in knows the user by it"
    )


class NewUserForm(UserForm):
    """A user who is not here yet."""

    username = forms.CharField(
        label="Username", max_length=150, help_text="It stays, since the ledger's history knows it"
    )
    is_program = forms.BooleanField(
        label="This is a program that calls the API, not a person", required=False
    )

    field_order = ("username", "display_name", "email", "is_program")


class RoleForm(forms.Form):
    """Which role, where, from when to when."""

    role = forms.ChoiceField(label="Role", choices=Role.choices)
    center = forms.TypedChoiceField(label="Where", coerce=int, empty_value=None, required=False)
    from_on = DayField(label="First day")
    last_day = DayField(label="Last day", required=False, help_text="Leave it empty for no end")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["center"].choices = [  # type: ignore[attr-defined]
            ("", "The whole city"),
            *((center.center_id, center.name) for center in queries.centers()),
        ]


class PasswordForm(forms.Form):
    """A password that its owner changes at the first sign-in."""

    password = forms.CharField(
        label="First password",
        help_text="The user chooses another one at the next sign-in",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class TokenForm(forms.Form):
    """What a token is for, what it may do, and until when."""

    name = forms.CharField(label="Used for", max_length=80)
    last_day = DayField(label="Last day", help_text="Within a year")
    scopes = forms.MultipleChoiceField(
        label="May do",
        choices=[(scope, scope) for scope in sorted(tokens.SCOPES)],
        widget=forms.CheckboxSelectMultiple,
    )


@require_safe
@needs("user.change")
def listing(request: OfficeRequest) -> HttpResponse:
    """Users by name, filtered by text, role, and whether they are still here."""
    role, gone = request.GET.get("role", ""), request.GET.get("gone") == "1"
    role = role if role in Role.values else ""
    text = request.GET.get("name", "").replace("\x00", "").strip()[:80]
    values = {
        "rows": queries.users(timezone.localdate(), text, role, gone),
        "text": text,
        "role": role,
        "roles": Role.choices,
        "gone": gone,
        "tabs": [
            {"label": "Here", "url": "/users/", "current": not gone},
            {"label": "Left", "url": "/users/?gone=1", "current": gone},
        ],
    }
    return render(request, "identity/users.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("user.change")
def new(request: OfficeRequest) -> HttpResponse:
    """A new user, who then gets a role and a password."""
    form = NewUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            user_id = operations.create_user(
                actor_of_page(request),
                given["username"],
                given["display_name"],
                email=given["email"],
                is_program=given["is_program"],
            )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(request, f"{given['display_name']} is a user now.")
            return HttpResponseRedirect(reverse("user", args=[user_id]))
    status = 422 if form.errors else 200
    values = {"form": form, "breadcrumbs": [_USERS, {"label": "New user"}]}
    return render(request, "identity/new_user.html", values, status=status)


@require_safe
@needs("user.change")
def user(request: OfficeRequest, user_id: int) -> HttpResponse:
    """One user: roles, password, tokens, and who changed what."""
    return _user_page(request, user_id)


@require_POST
@needs("user.change")
def change(request: OfficeRequest, user_id: int) -> HttpResponse:
    """Changes name and e-mail."""
    form = UserForm(request.POST)

    def do(given: dict[str, Any]) -> str:
        operations.change_user(actor_of_page(request), user_id, **given)
        return "The user was changed."

    return _done(request, user_id, "form", form, do)


@require_POST
@needs("user.change")
def assign(request: OfficeRequest, user_id: int) -> HttpResponse:
    """Gives a role."""
    form = RoleForm(request.POST)

    def do(given: dict[str, Any]) -> str:
        last = given["last_day"]
        operations.assign_role(
            actor_of_page(request),
            user_id,
            Role(given["role"]),
            center_id=given["center"],
            from_on=given["from_on"],
            to_on=last + timedelta(days=1) if last else None,
        )
        return f"{Role(given['role']).label} from {given['from_on']:%B %-d, %Y} on."

    return _done(request, user_id, "role_form", form, do)


@require_POST
@needs("user.change")
def end_role(request: OfficeRequest, user_id: int, assignment_id: int) -> HttpResponse:
    """Ends a role after today."""
    today = timezone.localdate()

    def do(_: dict[str, Any]) -> str:
        operations.end_assignment(actor_of_page(request), assignment_id, today, today)
        return "Today is the last day of the role."

    return _done(request, user_id, "", forms.Form(request.POST), do)


@require_POST
@needs("user.change")
def set_password(request: OfficeRequest, user_id: int) -> HttpResponse:
    """Sets a first password, or a new one for somebody who forgot it."""
    form = PasswordForm(request.POST)

    def do(given: dict[str, Any]) -> str:
        now = timezone.now()
        operations.set_password(actor_of_page(request), user_id, given["password"], now)
        return "The password is set; the user changes it at the next sign-in."

    return _done(request, user_id, "password_form", form, do)


@require_POST
@needs("user.change")
def set_active(request: OfficeRequest, user_id: int) -> HttpResponse:
    """Ends the user's access, or gives it back."""

    def do(_: dict[str, Any]) -> str:
        actor = actor_of_page(request)
        if request.POST.get("active") == "yes":
            operations.activate_user(actor, user_id)
            return "The user has access again."
        operations.deactivate_user(actor, user_id, timezone.localdate())
        return "The user has no access any more; open sessions and tokens ended."

    return _done(request, user_id, "", forms.Form(request.POST), do)


@require_POST
@needs("token.issue")
def issue_token(request: OfficeRequest, user_id: int) -> HttpResponse:
    """Makes a token and shows its secret, this once."""
    form = TokenForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        midnight = datetime.combine(given["last_day"] + timedelta(days=1), time())
        try:
            issued = tokens.issue_token(
                actor_of_page(request),
                user_id,
                given["name"],
                given["scopes"],
                timezone.make_aware(midnight),
                timezone.now(),
            )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            return _user_page(request, user_id, secret=issued.secret)
    return _user_page(request, user_id, token_form=form)


@require_POST
@needs("token.issue")
def revoke_token(request: OfficeRequest, user_id: int, token_id: int) -> HttpResponse:
    """Ends a token at once."""

    def do(_: dict[str, Any]) -> str:
        tokens.revoke_token(actor_of_page(request), token_id, timezone.now())
        return "The token does nothing any more."

    return _done(request, user_id, "", forms.Form(request.POST), do)


def _done(
    request: OfficeRequest,
    user_id: int,
    name: str,
    form: forms.Form,
    do: Callable[[dict[str, Any]], str],
) -> HttpResponse:
    """Does what the form says and returns to the user; or shows the form with what is wrong."""
    if form.is_valid():
        try:
            messages.success(request, do(form.cleaned_data))
        except Refused as refusal:
            if not name:
                raise
            say_refusal(form, refusal)
        else:
            return HttpResponseRedirect(reverse("user", args=[user_id]))
    shown: dict[str, Any] = {name: form} if name else {}
    return _user_page(request, user_id, **shown)


def _user_page(
    request: OfficeRequest,
    user_id: int,
    *,
    form: forms.Form | None = None,
    role_form: forms.Form | None = None,
    password_form: forms.Form | None = None,
    token_form: forms.Form | None = None,
    secret: str = "",
) -> HttpResponse:
    today = timezone.localdate()
    found = queries.user(user_id, today, timezone.now())
    bad = next((f for f in (form, role_form, password_form, token_form) if f and f.errors), None)
    values = {
        "person": found,
        "is_oneself": user_id == actor_of_page(request).user_id,
        "form": form or UserForm({"display_name": found.name, "email": found.email}),
        "role_form": role_form or RoleForm(initial={"from_on": today}),
        "password_form": password_form or PasswordForm(),
        "token_form": token_form or TokenForm(),
        "bad_form": bad,
        "secret": secret,
        "history": history_of_user(user_id),
        "breadcrumbs": [_USERS, {"label": found.name}],
    }
    return render(request, "identity/user.html", values, status=422 if bad else 200)


urlpatterns = [
    path("users/", listing, name="users"),
    path("users/new", new, name="new_user"),
    path("users/<int:user_id>/", user, name="user"),
    path("users/<int:user_id>/change", change, name="change_user"),
    path("users/<int:user_id>/roles", assign, name="assign_role"),
    path("users/<int:user_id>/roles/<int:assignment_id>/end", end_role, name="end_role"),
    path("users/<int:user_id>/password", set_password, name="set_password"),
    path("users/<int:user_id>/active", set_active, name="set_active"),
    path("users/<int:user_id>/tokens", issue_token, name="issue_token"),
    path("users/<int:user_id>/tokens/<int:token_id>/revoke", revoke_token, name="revoke_token"),
]
