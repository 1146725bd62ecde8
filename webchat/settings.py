"""How is the portal set up? One file; the environment is read here and nowhere else.

Every variable is documented in `.env.example`.
"""

from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from webchat import environment
from webchat.environment import BASE_DIR, VAR_DIR

env = environment.read()


def required(name: str) -> str:
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. `bin/run` makes one in var/.env; see .env.example.")
    return value


# The portal and its address

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = required("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured(
        "SECRET_KEY is too short to sign anything with; it needs 32 characters or more."
    )
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
SITE_HOST = urlsplit(SITE_URL).hostname or "127.0.0.1"
SECURE = SITE_URL.startswith("https://")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=sorted({SITE_HOST, "127.0.0.1", "localhost", "[::1]"}))
TEAM_NAME = env.str("TEAM_NAME", default="Webchat")

INSTALLED_APPS = [
    "webchat.backoffice.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "webchat.accounts",
    "webchat.allocation",
    "webchat.chat",
    "webchat.backoffice",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "webchat.accounts.middleware.readable_requests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webchat.accounts.middleware.short_requests_of_strangers",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "webchat.accounts.middleware.private_pages",
]

ROOT_URLCONF = "webchat.urls"
ASGI_APPLICATION = "webchat.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "webchat.accounts.context.portal",
                "webchat.allocation.context.left",
                "webchat.chat.context.conversations",
            ],
        },
    }
]

# What is kept, and where

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'webchat.sqlite3'}")}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Deferred transactions fail with "database is locked" as soon as two people write at once.
    DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    # Persistent connections per thread would exhaust PostgreSQL; the pool is shared by all threads.
    pool = {"min_size": 2, "max_size": 10, "timeout": 10}
    DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {"pool": pool}
    DATABASES["default"]["CONN_MAX_AGE"] = 0

REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    # Publish/subscribe, because the other Redis layer drops messages and falls silent after a restart.
    # No socket timeout: redis-py's own default closes idle sockets.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [{"address": REDIS_URL, "socket_timeout": None, "health_check_interval": 15}]
            },
        }
    }
    CACHES = {"default": {"BACKEND": "webchat.sharedcache.SharedCache", "LOCATION": REDIS_URL}}
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

VAULT_KEYS = [key.strip() for key in required("VAULT_KEYS").split(",") if key.strip()]

# The upstream API

UPSTREAM_BASE_URL = env.str("UPSTREAM_BASE_URL", default="")
UPSTREAM_API_KEY = env.str("UPSTREAM_API_KEY", default="").strip()
UPSTREAM_CONNECT_SECONDS = env.float("UPSTREAM_CONNECT_SECONDS", default=10)
UPSTREAM_FIRST_CONTENT_SECONDS = env.float("UPSTREAM_FIRST_CONTENT_SECONDS", default=60)
UPSTREAM_IDLE_SECONDS = env.float("UPSTREAM_IDLE_SECONDS", default=60)
UPSTREAM_TOTAL_SECONDS = env.float("UPSTREAM_TOTAL_SECONDS", default=15 * 60)

# What prices and budgets are counted in; it is only shown.
CURRENCY = env.str("CURRENCY", default="USD")

# Limits

MESSAGE_MAX_CHARS = env.int("MESSAGE_MAX_CHARS", default=200_000)
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=30 * 1024 * 1024)
# Of what is not a file: the longest message, in Chinese, of which a character is 9 bytes of a form.
DATA_UPLOAD_MAX_MEMORY_SIZE = 9 * MESSAGE_MAX_CHARS + 64 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
MAX_CONNECTIONS = env.int("MAX_CONNECTIONS", default=4000)
# Behind a reverse proxy everyone has the proxy's address.
MAX_CONNECTIONS_PER_ADDRESS = env.int("MAX_CONNECTIONS_PER_ADDRESS", default=1000)
if env.int("TRUSTED_PROXY_COUNT", default=0):
    MAX_CONNECTIONS_PER_ADDRESS = 0

# Signing in

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["webchat.accounts.passwords.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "webchat.accounts.passwords.MaximumLengthValidator"},
    {"NAME": "webchat.accounts.passwords.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/conversations/"
LOGOUT_REDIRECT_URL = "account_login"

# Those of `accounts`, which also give what an invitation has promised.
ACCOUNT_ADAPTER = "webchat.allocation.joining.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "webchat.allocation.joining.SocialAccountAdapter"
USERSESSIONS_ADAPTER = "webchat.accounts.adapter.UserSessionsAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_FORMS = {"login": "webchat.accounts.forms.LoginForm", "signup": "webchat.accounts.forms.SignupForm"}
# Strict: two accounts may claim one unverified address, so that signing up tells nobody who is here.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SECURE else "http"
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{TEAM_NAME}] "
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "webchat.accounts.passkeys.AddForm",
    "login_webauthn": "webchat.accounts.passkeys.LoginForm",
    "authenticate_webauthn": "webchat.accounts.passkeys.AuthenticateForm",
    "reauthenticate_webauthn": "webchat.accounts.passkeys.ReauthenticateForm",
}
MFA_TOTP_ISSUER = TEAM_NAME
# Everybody was invited: no stranger can occupy an address with a second factor. And mail may be missing.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers allow passkeys on plain http for localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE

OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", default="")
OIDC_SIGNUP_OPEN = env.bool("OIDC_SIGNUP_OPEN", default=False)
if OIDC_SERVER_URL:
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": env.str("OIDC_NAME", default="Single sign-on"),
                    "client_id": required("OIDC_CLIENT_ID"),
                    "secret": required("OIDC_CLIENT_SECRET"),
                    "settings": {"server_url": OIDC_SERVER_URL, "token_auth_method": "client_secret_basic"},
                }
            ]
        }
    }
SOCIALACCOUNT_LOGIN_ON_GET = False

SESSION_ENGINE = "webchat.accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
if SECURE:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"

# Mail

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
# A page waits for the mail server.
EMAIL_TIMEOUT = 10
MAIL_CONFIGURED = bool(env.str("EMAIL_URL", default=""))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"webchat@{SITE_HOST}")
ACCOUNT_EMAIL_VERIFICATION = "optional" if MAIL_CONFIGURED else "none"

# Walls

CSRF_TRUSTED_ORIGINS = [SITE_URL]
# Scheme, host and port must be the same. On one's own machine its names stand for each other.
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
SOCKET_ORIGINS = [SITE_URL]
if SITE_HOST in LOOPBACK:
    SOCKET_ORIGINS += [SITE_URL.replace(SITE_HOST, name, 1) for name in LOOPBACK if name != SITE_HOST]
CSRF_FAILURE_VIEW = "webchat.accounts.views.csrf_failure"
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=SECURE)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
# Other names of the same domain are not the portal's to decide about.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if env.int("TRUSTED_PROXY_COUNT", default=0):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# Languages

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
FORMAT_MODULE_PATH = ["webchat.formats"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

# Files

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "webchat.staticfiles.HashedFiles"},
}
MEDIA_ROOT = env.path("MEDIA_ROOT", default=VAR_DIR / "media")

# Logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "webchat.redaction.RedactSecrets"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Whoever scans the network asks for all kinds of hosts; each would be a traceback.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "httpx": {"level": "WARNING"},
    },
}
