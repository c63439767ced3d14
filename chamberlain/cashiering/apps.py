from django.apps import AppConfig


class Cashiering(AppConfig):
    name = "chamberlain.cashiering"
