"""The JSON API as a whole: its operations, its token, its problems, its description."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema

from chamberlain.api import (
    accounts,
    adjustments,
    bill_runs,
    bills,
    certificates,
    citations,
    counters,
    deposits,
    explaining,
    finals,
    history,
    letters,
    meters,
    past,
    payments,
    penalties,
    plans,
    properties,
    reads,
    rebills,
    what_if,
)
from chamberlain.api.problems import MEDIA_TYPE, Problem, add_handlers
from chamberlain.api.reference import Reference
from chamberlain.api.tokens import Bearer, actor_of_request
from chamberlain.kernel.errors import Invalid

_PROBLEMS = {
    400: "The request cannot be read",
    401: "No token, or one that is unknown, expired or revoked",
    403: "The token's scopes do not allow this",
    404: "What the address names does not exist",
    405: "The address does not take this method",
    409: "A rule of the office forbids it now",
    415: "The body is not application/json",
    422: "Fields are missing, malformed or out of range",
    429: "Too many wrong tokens from one address",
    500: "The program failed and changed nothing",
}


class OfficeApi(NinjaAPI):
    """NinjaAPI whose description names the problem documents that each operation may answer."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The OpenAPI description."""
        schema = super().get_openapi_schema(**options)
        definition = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema["components"]["schemas"]
        parts.update(definition.pop("$defs"))
        parts["Problem"] = definition
        shape = {"$ref": "#/components/schemas/Problem"}
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, description in _PROBLEMS.items():
                    operation["responses"][status] = {
                        "description": description,
                        "content": {MEDIA_TYPE: {"schema": shape}},
                    }
        return schema


def known_query_only(operation: Callable[..., Any]) -> Callable[..., Any]:
    """A parameter that an operation does not have is an error, not silently dropped."""

    @wraps(operation)
    def checked(request: HttpRequest, *args: Any, **given: Any) -> Any:
        unknown = [name for name in request.GET if name not in given]
        if unknown:
            raise Invalid(
                f"There is no query parameter “{unknown[0][:40]}” here; leave it out.",
                field=unknown[0][:40],
            )
        return operation(request, *args, **given)

    return checked


class TokenOut(Schema):
    """The token that the request came with."""

    name: str
    user: str
    scopes: list[str]
    expires_at: datetime


api = OfficeApi(
    title="Chamberlain",
    version="1",
    description="The revenue office of a city: accounts, charges, bills, payments, bill runs. "
    "Money is whole cents. A scope of a token is the name of a permission.",
    urls_namespace="api",
    auth=Bearer(),
    docs=Reference(),
    openapi_extra={"info": {"license": {"name": "Apache-2.0"}}},
)
add_handlers(api)
api.add_decorator(known_query_only, mode="operation")


@api.get("/token", response=TokenOut, tags=["Token"], summary="The token in use")
def token(request: HttpRequest) -> TokenOut:
    """Whose token it is, what it may do, and until when."""
    in_use = request.auth  # type: ignore[attr-defined]
    actor = actor_of_request(request)
    return TokenOut(
        name=in_use.name,
        user=actor.name,
        scopes=sorted(actor.scopes or ()),
        expires_at=in_use.expires_at,
    )


api.add_router("", accounts.router)
api.add_router("", bills.router)
api.add_router("", past.router)
api.add_router("", explaining.router)
api.add_router("/payments", payments.router)
api.add_router("/bill-runs", bill_runs.router)
for account_work in (
    rebills, adjustments, plans, penalties, certificates, finals, deposits, properties, reads,
    what_if, letters, history, meters, citations, counters,
):  # fmt: skip
    api.add_router("", account_work.router)
