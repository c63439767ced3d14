from django.apps import AppConfig


class Letters(AppConfig):
    name = "chamberlain.casework.letters"
    label = "letters"
