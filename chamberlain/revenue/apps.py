from django.apps import AppConfig


class Revenue(AppConfig):
    name = "chamberlain.revenue"
