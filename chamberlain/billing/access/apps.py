from django.apps import AppConfig


class Access(AppConfig):
    name = "chamberlain.billing.access"
    label = "access"
