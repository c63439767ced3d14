from django.apps import AppConfig


class Hosted(AppConfig):
    name = "chamberlain.cashiering.hosted"
    label = "hosted"
