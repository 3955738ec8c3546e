"""The settings that keep strangers out. ``docs/production.md`` explains each, and how to loosen it where one must."""

from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from project.environment import DEBUG, env

IS_HTTPS = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)

# The secret and the names that the site answers to

_DEVELOPMENT = "for-development-only"
_SECRET_MIN, _DIFFERENT_MIN = 50, 5


def _secret_key() -> str:
    """Return the key that signs everything; off a developer's machine there is no default, and no weak one."""
    if DEBUG:
        return str(env.str("SECRET_KEY", default=_DEVELOPMENT))
    key: str = env.str("SECRET_KEY")
    is_known = key.startswith(("django-insecure-", _DEVELOPMENT))
    if is_known or len(key) < _SECRET_MIN or len(set(key)) < _DIFFERENT_MIN:
        raise ImproperlyConfigured(
            f"SECRET_KEY is too weak: it takes {_SECRET_MIN} random characters, such as those of "
            'python3 -c "import secrets; print(secrets.token_urlsafe(50))".'
        )
    return key


def _allowed_hosts() -> list[str]:
    """Return the names that the site answers to; off a developer's machine they are said, and are not all."""
    if DEBUG:
        return list(env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]))
    hosts: list[str] = env.list("ALLOWED_HOSTS", default=[])
    if not hosts or "*" in hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the site's hosts, such as practice.example.com; not *.")
    return hosts


SECRET_KEY = _secret_key()
# Old keys that still open what they signed, while a new one is introduced.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = _allowed_hosts()
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ADMIN_URL = env.str("ADMIN_URL", default="admin/").strip("/") + "/"

# The proxy: what it says is believed only where there is one.

_has_proxy = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _has_proxy else None
USE_X_FORWARDED_HOST = USE_X_FORWARDED_PORT = False
#: How many proxies add to X-Forwarded-For; the entry that the outermost of them added is the client.
NUM_PROXIES = env.int("NUM_PROXIES", default=1 if _has_proxy else 0)

# HTTPS

SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0 if DEBUG else 365 * 24 * 60 * 60)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=SECURE_HSTS_SECONDS > 0)
# Being on the browsers' list cannot be taken back for months: nobody gets there by default, and no check asks for it.
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = [] if SECURE_HSTS_PRELOAD else ["security.W021"]

# Cookies: read by no script, sent by no other site; and where all is HTTPS no other host can set them.
# Browsers take a cookie named __Host- only where it is Secure too.

_prefix = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_prefix}sessionid", f"{_prefix}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS or not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.int("SESSION_COOKIE_AGE", default=14 * 24 * 60 * 60)

# Passwords

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
_validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_validation}.CommonPasswordValidator"},
    {"NAME": f"{_validation}.NumericPasswordValidator"},
]

# What browsers may do with our pages

_policy: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # the style sheet's own little pictures
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
if _report_uri := env.str("CSP_REPORT_URI", default=""):
    _policy["DIRECTIVES"]["report-uri"] = [_report_uri]
# Report-only lets pass what it reports: for trying a change of the policy, not for staying.
_is_report_only = env.bool("CSP_REPORT_ONLY", default=False)
CONTENT_SECURITY_POLICY = None if _is_report_only else _policy
CONTENT_SECURITY_POLICY_REPORT_ONLY = _policy if _is_report_only else None
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CROSS_ORIGIN_RESOURCE_POLICY = "same-origin"
#: Nothing of this is used here, so nothing that gets into a page may use it.
PERMISSIONS_POLICY = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
)

# What may be sent: bytes of a body, fields of a form, files of an upload

DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
