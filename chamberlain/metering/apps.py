from django.apps import AppConfig


class Metering(AppConfig):
    name = "chamberlain.metering"
