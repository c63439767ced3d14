"""Settings of the program. Everything that differs between cities comes from the environment.

Each variable is described in docs/production.md; a test compares the two.
"""

import os
import secrets
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from chamberlain.database.addresses import connection_settings

BASE = Path(__file__).parent
VAR = Path(os.environ.get("CHAMBERLAIN_VAR", BASE.parent / "var"))


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0") == "1"


def _secret_key() -> str:
    """The city's own key, or one made on the first start and kept where only the program reads."""
    if key := os.environ.get("CHAMBERLAIN_SECRET_KEY"):
        return key
    path = VAR / "secret_key"
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text()


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


DEBUG = False
SECRET_KEY = _secret_key()
IS_DEMO = _flag("CHAMBERLAIN_DEMO")
BEHIND_TLS = _flag("CHAMBERLAIN_TLS")
ALLOWED_HOSTS = os.environ.get("CHAMBERLAIN_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
TIME_ZONE = os.environ.get("CHAMBERLAIN_TIME_ZONE", "America/Chicago")
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = True
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE / "web" / "locale"]
ROOT_URLCONF = "chamberlain.urls"
WSGI_APPLICATION = "chamberlain.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = connection_settings()

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "django_cotton",
    "csp",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "procrastinate.contrib.django",
    "chamberlain.identity",
    "chamberlain.ledger",
    "chamberlain.registry",
    "chamberlain.metering",
    "chamberlain.metering.watching",
    "chamberlain.metering.routes",
    "chamberlain.tariffs",
    "chamberlain.billing",
    "chamberlain.billing.plans",
    "chamberlain.billing.finals",
    "chamberlain.billing.rebilling",
    "chamberlain.billing.estimating",
    "chamberlain.billing.certificates",
    "chamberlain.billing.adjusting",
    "chamberlain.billing.penalties",
    "chamberlain.billing.access",
    "chamberlain.billing.deposits",
    "chamberlain.billing.property_terms",
    "chamberlain.revenue",
    "chamberlain.revenue.citations",
    "chamberlain.cashiering",
    "chamberlain.cashiering.hosted",
    "chamberlain.cashiering.safe",
    "chamberlain.cashiering.stock",
    "chamberlain.cashiering.checks",
    "chamberlain.reconciliation",
    "chamberlain.reconciliation.general_ledger",
    "chamberlain.reconciliation.returned",
    "chamberlain.casework.letters",
    "chamberlain.web",
    "chamberlain.api",
]

MIDDLEWARE = [
    "chamberlain.web.middleware.reference_number",
    "chamberlain.api.middleware.problems_for_programs",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "chamberlain.web.middleware.acting_user",
    "chamberlain.identity.sign_in.sign_in_duties",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chamberlain.web.context.office",
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "chamberlain.web.templatetags.office",
            ],
        },
    }
]

# Sign-in
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "chamberlain.identity.sign_in.StaffOnly"
SOCIALACCOUNT_ADAPTER = "chamberlain.identity.sign_in.StaffOnlySocial"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("CHAMBERLAIN_PROXIES", "1" if BEHIND_TLS else "0"))
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Chamberlain"
MFA_REQUIRED_ROLES = frozenset(filter(None, os.environ.get("CHAMBERLAIN_MFA_ROLES", "").split(",")))
OIDC_USERNAME_CLAIM = os.environ.get("CHAMBERLAIN_OIDC_USERNAME_CLAIM", "preferred_username")
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, object]] = {}
if issuer := os.environ.get("CHAMBERLAIN_OIDC_ISSUER"):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "city",
                "name": os.environ.get("CHAMBERLAIN_OIDC_NAME", "City sign-in"),
                "client_id": os.environ.get("CHAMBERLAIN_OIDC_CLIENT_ID", ""),
                "secret": os.environ.get("CHAMBERLAIN_OIDC_SECRET", ""),
                "settings": {"server_url": issuer, "oauth_pkce_enabled": True},
            }
        ]
    }

# Wrong API tokens from one address before it has to wait.
API_BAD_TOKENS_A_MINUTE = 20

# Sessions end with the working day or after an hour without work.
SESSION_COOKIE_AGE = int(os.environ.get("CHAMBERLAIN_SESSION_MINUTES", "60")) * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = BEHIND_TLS
CSRF_COOKIE_SECURE = BEHIND_TLS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "chamberlain.web.errors.csrf_failure"
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # The sign-in form is answered by a redirect to the city's own sign-in.
        "form-action": [SELF, *([_origin(issuer)] if issuer else [])],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "object-src": [NONE],
    }
}

# Counters of failed sign-ins are shared by all web workers.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "identity_cache",
        # Strangers at the public pages must not push out the counters of failed sign-ins.
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": os.environ.get(
            "CHAMBERLAIN_STATIC_STORAGE",
            "whitenoise.storage.CompressedManifestStaticFilesStorage",
        )
    },
}
MEDIA_ROOT = VAR / "documents"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

# No request line, address or form value goes into a log; a fault is logged with its reference.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "chamberlain.kernel.logs.WithoutValues",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django.request": {"handlers": [], "propagate": False},
        "django.security": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "chamberlain": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}

PGHISTORY_APPEND_ONLY = True
# The page where residents pay by card. The demonstration has a provider of its own.
CARD_PROVIDER_URL = os.environ.get(
    "CHAMBERLAIN_CARD_PROVIDER_URL", "http://127.0.0.1:8001" if IS_DEMO else ""
)
CARD_PROVIDER_SECRET = os.environ.get(
    "CHAMBERLAIN_CARD_PROVIDER_SECRET",
    sha256(f"card provider {SECRET_KEY}".encode()).hexdigest() if IS_DEMO else "",
)
# The service that verifies checks at the tills. The demonstration has one of its own.
CHECK_SERVICE_URL = os.environ.get(
    "CHAMBERLAIN_CHECK_SERVICE_URL", "http://127.0.0.1:8002" if IS_DEMO else ""
)
CHECK_SERVICE_SECRET = os.environ.get(
    "CHAMBERLAIN_CHECK_SERVICE_SECRET",
    sha256(f"check service {SECRET_KEY}".encode()).hexdigest() if IS_DEMO else "",
)
PRINTER_ADDRESS = os.environ.get("CHAMBERLAIN_PRINTER", "")
CITY_NAME = os.environ.get("CHAMBERLAIN_CITY_NAME", "City of Chicago")
