"""The program's settings, but for what a test run cannot have: collected static files."""

from chamberlain.settings import *  # noqa: F403
from chamberlain.settings import STORAGES

IS_DEMO = True
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
