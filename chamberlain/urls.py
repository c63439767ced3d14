"""Addresses of the program: pages, API, sign-in."""

from django.urls import URLPattern, URLResolver, include, path

from chamberlain.api.application import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("sign-in/", include("chamberlain.identity.urls")),
    path("", include("chamberlain.web.pages.counter")),
    path("", include("chamberlain.web.pages.selling")),
    path("", include("chamberlain.web.pages.tills")),
    path("", include("chamberlain.web.pages.stock")),
    path("", include("chamberlain.web.pages.checks")),
    path("", include("chamberlain.web.pages.journals")),
    path("", include("chamberlain.web.pages.citations")),
    path("", include("chamberlain.web.pages.tracing")),
    path("", include("chamberlain.web.pages.returned")),
    path("", include("chamberlain.web.pages.safe")),
    path("", include("chamberlain.web.pages.signals")),
    path("", include("chamberlain.web.pages.centers")),
    path("", include("chamberlain.web.pages.reconciliation")),
    path("", include("chamberlain.web.pages.bank")),
    path("", include("chamberlain.web.pages.bank_files")),
    path("", include("chamberlain.web.pages.board")),
    path("", include("chamberlain.web.pages.search")),
    path("", include("chamberlain.web.pages.accounts")),
    path("", include("chamberlain.web.pages.registry")),
    path("", include("chamberlain.web.pages.registry_moves")),
    path("", include("chamberlain.web.pages.switching")),
    path("", include("chamberlain.web.pages.meters")),
    path("", include("chamberlain.web.pages.documents")),
    path("", include("chamberlain.web.pages.bills")),
    path("", include("chamberlain.web.pages.rebilling")),
    path("", include("chamberlain.web.pages.adjusting_batches")),
    path("", include("chamberlain.web.pages.adjusting")),
    path("", include("chamberlain.web.pages.adjusting_account")),
    path("", include("chamberlain.web.pages.explaining")),
    path("", include("chamberlain.web.pages.what_if")),
    path("", include("chamberlain.web.pages.resident")),
    path("", include("chamberlain.web.pages.resident_paying")),
    path("", include("chamberlain.web.pages.resident_plans")),
    path("", include("chamberlain.web.pages.plans")),
    path("", include("chamberlain.web.pages.finals")),
    path("", include("chamberlain.web.pages.letter_batches")),
    path("", include("chamberlain.web.pages.letters")),
    path("", include("chamberlain.web.pages.deposits")),
    path("", include("chamberlain.web.pages.property_terms")),
    path("", include("chamberlain.web.pages.property_changes")),
    path("", include("chamberlain.web.pages.bill_runs")),
    path("", include("chamberlain.web.pages.usage_worklist")),
    path("", include("chamberlain.web.pages.read_routes")),
    path("", include("chamberlain.web.pages.estimates")),
    path("", include("chamberlain.web.pages.certificates_public")),
    path("", include("chamberlain.web.pages.certificates")),
    path("", include("chamberlain.web.pages.ledger")),
    path("", include("chamberlain.web.pages.tariffs")),
    path("", include("chamberlain.web.pages.users")),
    path("", include("chamberlain.web.pages.styleguide")),
]

handler400 = "chamberlain.web.errors.bad_request"
handler403 = "chamberlain.web.errors.permission_denied"
handler404 = "chamberlain.web.errors.page_not_found"
handler500 = "chamberlain.web.errors.server_error"
