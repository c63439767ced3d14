"""What the API answers where no operation is reached: unknown addresses, methods, media types."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from chamberlain.api.problems import MEDIA_TYPE, problem

Handler = Callable[[HttpRequest], HttpResponse]
ROOT = "/api/"
_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address; the API's page lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take the method; `Allow` lists those.",
}


class problems_for_programs:  # noqa: N801 - named as the settings read it
    """Under /api/ every refusal is a problem document, and a body is JSON."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ROOT):
            return self.get_response(request)
        if _has_other_body_than_json(request):
            return problem(
                request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json."
            )
        answer = self.get_response(request)
        if answer.status_code < 400 or answer["Content-Type"].startswith(MEDIA_TYPE):
            return answer
        status = HTTPStatus(answer.status_code)
        detail = _DETAILS.get(status, f"{status.description or status.phrase}.")
        document = problem(request, status, detail)
        if "Allow" in answer:
            document["Allow"] = answer["Allow"]
        return document


def _has_other_body_than_json(request: HttpRequest) -> bool:
    has_body = request.META.get("CONTENT_LENGTH") not in (None, "", "0")
    return has_body and request.content_type != "application/json"
