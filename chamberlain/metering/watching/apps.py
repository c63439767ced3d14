from django.apps import AppConfig


class Watching(AppConfig):
    name = "chamberlain.metering.watching"
    label = "watching"
