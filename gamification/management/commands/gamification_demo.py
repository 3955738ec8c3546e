"""Fill an empty database, so that there is something to look at."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils import timezone

from gamification.management.bars import Bars
from gamification.management.demo import site
from gamification.management.demo.site import Site

PEOPLE = 300
PEOPLE_MIN, PEOPLE_MAX = 20, 5000


class Command(BaseCommand):
    help = (
        "Fill an empty database with people who have practised for months, and print accounts to sign in with. Only "
        "with DEBUG, and only while there are no users."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--people", type=_number, default=PEOPLE, metavar="N", help=f"default: {PEOPLE}")
        parser.add_argument("--address", default="http://127.0.0.1:8000", help="where the site is served")

    def handle(self, *args: Any, people: int, address: str, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo is for development: it runs only with DEBUG on.")
        if get_user_model()._base_manager.exists():
            raise CommandError("There are users already: the demo runs only in a database without any.")
        started = time.monotonic()
        with Bars(" activities") as bars:
            try:
                made = site.build(people, now=timezone.now(), progress=bars)
            except site.UserModelError as error:
                raise CommandError(str(error)) from error
        self._print(made, time.monotonic() - started, address)

    def _print(self, made: Site, seconds: float, address: str) -> None:
        self.stdout.write(f"{made.people:,} people and {made.activities:,} activities in {seconds:.1f} s.\n\n")
        rows = [("name", "password", "who"), *((login.name, login.password, login.role) for login in made.logins)]
        wide, wider = (max(len(row[column]) for row in rows) + 3 for column in (0, 1))
        for name, password, role in rows:
            self.stdout.write(f"  {name:<{wide}}{password:<{wider}}{role}")
        try:
            path = resolve_url(settings.LOGIN_URL)
        except NoReverseMatch:
            path = "/"
        self.stdout.write(f"\nThe passwords are shown only now. Sign in at {address}{path}")


def _number(text: str) -> int:
    number = int(text)
    if not PEOPLE_MIN <= number <= PEOPLE_MAX:
        raise ArgumentTypeError(f"{number} is not from {PEOPLE_MIN} to {PEOPLE_MAX:,}")
    return number
