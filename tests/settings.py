"""The portal's settings, independent of what stands in a developer's .env."""

import os
import tempfile

from cryptography.fernet import Fernet

os.environ["SECRET_KEY"] = "for-tests-only-" + "x" * 50
os.environ["VAULT_KEYS"] = Fernet.generate_key().decode()
os.environ["SITE_URL"] = "http://testserver"
os.environ["ALLOWED_HOSTS"] = "testserver,127.0.0.1,localhost"
os.environ["DEBUG"] = "False"
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "sqlite:///var/test-unused.sqlite3")
os.environ["REDIS_URL"] = os.environ.get("TEST_REDIS_URL", "")
os.environ["UPSTREAM_BASE_URL"] = os.environ["UPSTREAM_API_KEY"] = ""
os.environ["OIDC_SERVER_URL"] = os.environ["EMAIL_URL"] = ""

from webchat.settings import *  # noqa: E402, F403

UPSTREAM_BASE_URL = UPSTREAM_API_KEY = OIDC_SERVER_URL = ""
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
if "TEST_DATABASE_URL" not in os.environ:
    # A file, not memory: several threads write while tests run, as they do in the portal.
    folder = tempfile.TemporaryDirectory(prefix="webchat-tests-")
    DATABASES["default"]["TEST"] = {"NAME": f"{folder.name}/test.sqlite3"}  # noqa: F405
# Faults that a person would wait a minute for
UPSTREAM_CONNECT_SECONDS = 2.0
UPSTREAM_FIRST_CONTENT_SECONDS = 2.0
UPSTREAM_IDLE_SECONDS = 1.5
UPSTREAM_TOTAL_SECONDS = 10.0
