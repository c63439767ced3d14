from django.apps import AppConfig


class Adjusting(AppConfig):
    name = "chamberlain.billing.adjusting"
    label = "adjusting"
