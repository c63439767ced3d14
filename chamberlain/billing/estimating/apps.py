from django.apps import AppConfig


class Estimating(AppConfig):
    name = "chamberlain.billing.estimating"
    label = "estimating"
