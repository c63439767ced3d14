"""The provider that the city's settings name."""

from django.conf import settings

from chamberlain.cashiering.hosted.provider import NotReached, Provider
from chamberlain.cashiering.hosted.signed_json import SignedJson


def is_set_up() -> bool:
    """Whether the city takes payments by card on a provider's page."""
    return bool(settings.CARD_PROVIDER_URL and settings.CARD_PROVIDER_SECRET)


def city_provider() -> Provider:
    """The city's provider. Raises NotReached when the settings name none."""
    if not is_set_up():
        raise NotReached("The city takes no payments by card here; pay at a payment center.")
    return SignedJson(settings.CARD_PROVIDER_URL, settings.CARD_PROVIDER_SECRET)
