"""Problem documents (RFC 9457): what the API answers when it does not do what was asked.

`type` names the rule that was broken, `detail` is the sentence for a person, `instance` the
reference that the log knows, `errors` lists every bad field with its place and reason.
"""

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from chamberlain.kernel.errors import BadFile, Refused

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("chamberlain.api")


class FieldError(Schema):
    """A bad field: where it stands (`body.items.0.cents`) and why it is bad."""

    place: str
    reason: str


class Problem(Schema):
    """A problem document, RFC 9457."""

    type: str = Field(description="Names the rule that was broken, or about:blank")
    title: str
    status: int
    detail: str = Field(description="A sentence for a person: what is wrong and what to do")
    instance: str = Field(description="The reference of this answer, as the log has it")
    errors: list[FieldError] = []


class _Referenced(Protocol):
    reference: str


def reference_of(request: HttpRequest) -> str:
    """The short reference that the answer's header carries too."""
    return cast(_Referenced, request).reference


def problem(
    request: HttpRequest,
    status: int,
    detail: str,
    *,
    kind: str = "about:blank",
    errors: Sequence[FieldError] = (),
) -> HttpResponse:
    """An answer with a problem document."""
    document = Problem(
        type=kind,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=reference_of(request),
        errors=list(errors),
    )
    answer = JsonResponse(document.model_dump(), status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Bearer realm="chamberlain"'
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer["Retry-After"] = "60"
    return answer


def refusal(request: HttpRequest, refused: Refused | type[Refused]) -> HttpResponse:
    """What a rule said."""
    assert isinstance(refused, Refused)
    errors = [FieldError(place=_place_of(request, refused.field), reason=refused.sentence)]
    if isinstance(refused, BadFile):
        errors = [FieldError(place=r.place, reason=r.reason) for r in refused.records]
    elif not refused.field:
        errors = []
    return problem(
        request, refused.status, refused.sentence, kind=_kind(type(refused)), errors=errors
    )


def add_handlers(api: NinjaAPI) -> None:
    """Everything that an operation may raise becomes a problem document."""
    api.add_exception_handler(Refused, refusal)
    api.add_exception_handler(ValidationError, _bad_fields)
    api.add_exception_handler(AuthenticationError, _no_token)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Http404, _not_found)
    api.add_exception_handler(Exception, _fault)


def _kind(refused: type[Refused]) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", "-", refused.__name__).lower()
    return f"urn:chamberlain:problem:{words}"


def _place_of(request: HttpRequest, field: str) -> str:
    if field[:1].isupper():
        return f"header.{field}"
    return f"{'query' if request.method == 'GET' else 'body'}.{field}"


def _bad_fields(request: HttpRequest, error: Any) -> HttpResponse:
    errors = [
        FieldError(place=_place(found["loc"]), reason=str(found["msg"])) for found in error.errors
    ]
    count = f"{len(errors)} fields are" if len(errors) > 1 else "One field is"
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"{count} not as they should be; mend what `errors` lists and send it again.",
        kind="urn:chamberlain:problem:bad-fields",
        errors=errors,
    )


def _place(loc: Sequence[object]) -> str:
    """`body.items.0.cents`: ninja puts the name of the function's argument second."""
    parts = [str(part) for part in loc]
    if parts[0] == "body" and len(parts) > 1:
        del parts[1]
    return ".".join(parts)


def _no_token(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(
        request,
        HTTPStatus.UNAUTHORIZED,
        "Send a token as `Authorization: Bearer …`; an administrator issues them.",
    )


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return problem(request, error.status_code, "The body is not JSON that can be read.")
    return problem(request, error.status_code, str(error))


def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(request, HTTPStatus.NOT_FOUND, "There is nothing at this address.")


def _fault(request: HttpRequest, error: Any) -> HttpResponse:
    """A fault of the program: logged with its reference, and nothing of it told."""
    match = request.resolver_match
    view = match.view_name if match else "no view"
    log.error("fault %s in %s", reference_of(request), view, exc_info=error)
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The program failed; nothing was changed. Tell the office the reference.",
    )
