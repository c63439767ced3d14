from django.apps import AppConfig


class Routes(AppConfig):
    name = "chamberlain.metering.routes"
    label = "routes"
