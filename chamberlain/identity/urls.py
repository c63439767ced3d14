"""Addresses of signing in. What allauth brings for customers of a web shop is closed here."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from chamberlain.identity.sign_in import city_login, closed

_NOT_HERE = (
    r"^(?:signup|email|confirm-email|password/(?:set|reset)|login/code|social|3rdparty(?!/login))/"
)

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(_NOT_HERE, closed),
    path("oidc/<str:provider_id>/login/", city_login),
    path("", include("allauth.urls")),
]
