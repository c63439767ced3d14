from django.apps import AppConfig


class PropertyTermsApp(AppConfig):
    name = "chamberlain.billing.property_terms"
    label = "property_terms"
