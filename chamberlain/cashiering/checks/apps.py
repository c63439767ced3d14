from django.apps import AppConfig


class Checks(AppConfig):
    name = "chamberlain.cashiering.checks"
