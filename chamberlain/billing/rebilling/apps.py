from django.apps import AppConfig


class RebillingConfig(AppConfig):
    name = "chamberlain.billing.rebilling"
    label = "rebilling"
