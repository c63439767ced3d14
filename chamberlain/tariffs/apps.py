from django.apps import AppConfig


class Tariffs(AppConfig):
    name = "chamberlain.tariffs"
