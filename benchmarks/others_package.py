"""Awards and boards with ``django-gamification``, in a Django project of its own: ``FOLDER NUMBER_OF_PEOPLE``."""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from importlib.metadata import distributions

import django
from django.conf import settings
from django.core.management import call_command
from django.db.models import Sum

AWARDS, READS, PAST = 300, 300, 12


def main(folder: str, people: int) -> None:
    sys.path.insert(0, folder)
    settings.configure(
        INSTALLED_APPS=["django_gamification"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{folder}/db.sqlite3",
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
            }
        },
        MIGRATION_MODULES={"django_gamification": None},  # its migrations need a Django of years ago
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)
    models = import_module("django_gamification.models")
    import_module("django_gamification.signals")
    interfaces = models.GamificationInterface.objects.bulk_create(models.GamificationInterface() for _ in range(people))
    models.PointChange.objects.bulk_create(
        models.PointChange(amount=number % 97, interface=interfaces[number % people]) for number in range(people * PAST)
    )
    begun = time.perf_counter()
    for number in range(AWARDS):
        models.PointChange.objects.create(amount=10, interface=interfaces[number % people])
    awards = (time.perf_counter() - begun) / AWARDS
    reads = min(READS, 20)  # it has no board: sums over everybody, each time
    begun = time.perf_counter()
    for number in range(reads):
        totals = models.PointChange.objects.values("interface").annotate(total=Sum("amount"))
        list(totals.order_by("-total")[:10])
        totals.filter(total__gt=interfaces[number % people].points).count()
    taken = (time.perf_counter() - begun) / reads
    version = next(found.version for found in distributions(path=[folder]) if "gamification" in found.name)
    print(json.dumps({"awards": awards, "reads": taken, "version": version}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
