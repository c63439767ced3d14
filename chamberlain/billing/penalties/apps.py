from django.apps import AppConfig


class Penalties(AppConfig):
    name = "chamberlain.billing.penalties"
    label = "penalties"
