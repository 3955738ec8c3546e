"""Mixed traffic, as fast as the site answers: how long each route takes, and that nothing drifts."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.faults import served, traffic, visitors
from benchmarks.faults.outcomes import Outcome
from benchmarks.faults.traffic import ROUTES, UNLIMITED, Traffic
from gamification.services import integrity
from gamification.tests.races import processes

SECONDS, SECONDS_QUICK = 60, 5
VISITORS = 200


def run(*, is_quick: bool) -> Iterator[Outcome]:
    """Yield one outcome for each kind of database; each figure is p50 / p95 / p99."""
    for kind in served.DATABASES:
        with served.database(kind) as url, processes.database(url):
            yield _load(kind, url, SECONDS_QUICK if is_quick else SECONDS)


def _load(kind: str, url: str, seconds: float) -> Outcome:
    people = visitors.signed_in(VISITORS)
    with served.site(url, settings=UNLIMITED) as site, Traffic(site, people) as visits:
        time.sleep(2)  # what is loaded with the first requests is no load
        begun = time.monotonic()
        time.sleep(seconds)
        answers = visits.since(begun)
        took = time.monotonic() - begun
    drifts = list(integrity.verify())
    by_route = {route: [answer for answer in answers if answer.route == route] for route in ROUTES}
    return Outcome(
        "load",
        kind,
        len(answers),
        traffic.lost(answers) + len(drifts),
        {
            "requests a second": round(len(answers) / took),
            "not 2xx": sum(answer.status >= 300 for answer in answers),
            "drifts": len(drifts),
            "all": traffic.told(answers),
            **{route: traffic.told(some) for route, some in by_route.items()},
        },
    )
