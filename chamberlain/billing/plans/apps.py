from django.apps import AppConfig


class Plans(AppConfig):
    name = "chamberlain.billing.plans"
    label = "plans"
