from django.apps import AppConfig


class Citations(AppConfig):
    name = "chamberlain.revenue.citations"
