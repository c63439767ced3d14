from django.apps import AppConfig


class Stock(AppConfig):
    name = "chamberlain.cashiering.stock"
