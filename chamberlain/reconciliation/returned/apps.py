from django.apps import AppConfig


class Returned(AppConfig):
    name = "chamberlain.reconciliation.returned"
