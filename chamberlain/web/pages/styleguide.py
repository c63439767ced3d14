"""The page of all components, for those who write pages."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from chamberlain.web.access import needs
from chamberlain.web.middleware import OfficeRequest


@needs("user.change")
@require_safe
def styleguide(request: OfficeRequest) -> HttpResponse:
    """Every component on one page."""
    return render(request, "styleguide.html")


urlpatterns = [path("styleguide/", styleguide, name="styleguide")]
