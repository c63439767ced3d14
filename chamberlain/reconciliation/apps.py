from django.apps import AppConfig


class Reconciliation(AppConfig):
    name = "chamberlain.reconciliation"
