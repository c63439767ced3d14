from django.apps import AppConfig


class Finals(AppConfig):
    name = "chamberlain.billing.finals"
    label = "finals"
