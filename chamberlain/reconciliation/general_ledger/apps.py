from django.apps import AppConfig


class GeneralLedger(AppConfig):
    name = "chamberlain.reconciliation.general_ledger"
    label = "general_ledger"
