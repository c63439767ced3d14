from django.apps import AppConfig


class Certificates(AppConfig):
    name = "chamberlain.billing.certificates"
    label = "certificates"
