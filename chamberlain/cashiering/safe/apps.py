from django.apps import AppConfig


class Safe(AppConfig):
    name = "chamberlain.cashiering.safe"
