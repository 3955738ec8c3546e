"""The environment, and the ``.env`` where there is one."""

import os
import sys
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

# What stands in somebody's .env must not decide whether the tests pass.
_env_file = env.str("ENV_FILE", default="" if "pytest" in sys.modules else str(BASE_DIR / ".env"))
if "ENV_FILE" in os.environ and _env_file and not Path(_env_file).is_file():
    raise ImproperlyConfigured(f"ENV_FILE names {_env_file}, and there is no such file.")
if _env_file:
    env.read_env(_env_file)

DEBUG = env.bool("DEBUG", default=True)
