"""The entry for web servers (gunicorn)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chamberlain.settings")
application = get_wsgi_application()
