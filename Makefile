# `make run` needs Python 3.11 or newer and nothing else. `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8000
# Workers for pytest; 0 for one process.
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
MANAGE := $(BIN)/python manage.py
CODE := gamification project benchmarks pictures conftest.py manage.py
TEMPLATES = $(shell find templates gamification/templates -name '*.html' 2>/dev/null)
# What is no part of the demonstration site.
ELSEWHERE := gamification/* benchmarks/* pictures/* docs/* build/* dist/* staticfiles/* $(VENV)/* */tests/* conftest.py
MODULES = $(shell find $(CODE) -name '*.py' -not -path '*/migrations/*')

# Ends well in a developer's database that nobody has signed up to yet.
IS_NEW := from django.conf import settings; from django.contrib.auth import get_user_model; \
	raise SystemExit(not settings.DEBUG or get_user_model().objects.exists())

# For all targets, but most for the tests: where nothing compiled may be kept, each process compiles Django for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test bench screenshots lint format messages lock clean pytest pytest-postgresql check-deploy
.DEFAULT_GOAL := help

help: ## List what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

run: $(INSTALLED) ## Install, migrate, fill an empty database with people, serve on http://127.0.0.1:8000/ (PORT)
	@$(MANAGE) migrate --verbosity 0
	@if $(MANAGE) shell --verbosity 0 --command '$(IS_NEW)'; then $(MANAGE) gamification_demo --address http://127.0.0.1:$(PORT); fi
	@printf '\n  Open http://127.0.0.1:%s/ (Ctrl-C ends it)\n\n' $(PORT)
	@$(MANAGE) runserver $(PORT)

test: $(INSTALLED) ## Lint, check, then all tests on SQLite and again on PostgreSQL where there is one
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory check-deploy
	@$(MAKE) --no-print-directory pytest
	@$(MAKE) --no-print-directory pytest-postgresql

lint: $(INSTALLED) ## Style, types, security, Django's checks, missing migrations
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/django-upgrade --check --target-version 5.2 $(MODULES)
	$(BIN)/djade --check --target-version 5.2 $(TEMPLATES)
	$(BIN)/mypy $(CODE)
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive gamification project
	ENV_FILE= $(MANAGE) check --fail-level WARNING
	ENV_FILE= $(MANAGE) makemigrations --check --dry-run

check-deploy: $(INSTALLED) ## Django's deployment checks, with the settings of .env.production.example
	ENV_FILE=.env.production.example SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	$(MANAGE) check --deploy --fail-level WARNING

pytest: $(INSTALLED)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# Not again: the browser, and what starts a PostgreSQL or a cluster of its own.
pytest-postgresql: $(INSTALLED)
	@$(BIN)/python -m gamification.tests.servers $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'django_db and not browser and not postgres and not cluster and not slow'

bench: $(INSTALLED) ## Measure what everything costs, print the tables, write docs/benchmarks.md (NAMES: only some)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	$(BIN)/python -m benchmarks $(NAMES)
	@$(BIN)/python -m benchmarks.report

screenshots: $(INSTALLED) ## Take the pictures of README and docs anew, with Chromium (SCENES: only some)
	$(BIN)/python -m pictures $(SCENES)

format: $(INSTALLED) ## Put code and templates into shape
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)
	$(BIN)/django-upgrade --exit-zero-even-if-changed --target-version 5.2 $(MODULES)
	$(BIN)/djade --target-version 5.2 $(TEMPLATES) || true

# Both folders hold their own catalogue; LANGUAGES=fr adds another language.
LANGUAGES ?= de
messages: $(INSTALLED) ## Collect the texts to translate, then compile the translations (needs gettext; LANGUAGES)
	@for language in $(LANGUAGES); do mkdir -p gamification/locale/$$language locale/$$language; done
	cd gamification && ../$(BIN)/django-admin makemessages $(LANGUAGES:%=--locale %) --add-location file --no-wrap --no-obsolete --ignore 'tests/*'
	$(BIN)/django-admin makemessages $(LANGUAGES:%=--locale %) --add-location file --no-wrap --no-obsolete $(ELSEWHERE:%=--ignore '%')
	cd gamification && ../$(BIN)/django-admin compilemessages
	cd locale/.. && $(BIN)/django-admin compilemessages --ignore gamification --ignore $(VENV)

lock: $(INSTALLED) ## Renew requirements.txt from requirements.in; everything to its newest
	$(BIN)/uv pip compile --quiet --system-certs --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' --output-file requirements.txt requirements.in

clean: ## Remove what was installed and generated, but not the database
	rm -rf $(VENV) build dist staticfiles *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# uv installs the same files, held against the same hashes, in a seventh of pip's time; where it cannot, pip does.
$(INSTALLED): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12 ..."; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(VENV), once ..."
	@awk '/^[^ ]/ { wanted = /^uv==/ } wanted' requirements.txt > $(VENV)/uv.txt
	@export PIP_DISABLE_PIP_VERSION_CHECK=1; \
	{ $(BIN)/python -m pip install --quiet --require-hashes --requirement $(VENV)/uv.txt && \
	  $(BIN)/uv pip install --quiet --system-certs --require-hashes --python $(BIN)/python --requirement requirements.txt; \
	} > $(VENV)/uv.log 2>&1 || { \
		echo "uv could not ($(VENV)/uv.log says why), so pip does it: that takes a minute."; \
		$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt; \
	}
	@touch $@
