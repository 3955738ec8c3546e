"""Rebuilding and checking from the command line."""

from __future__ import annotations

from io import StringIO

import pytest
import redis
from django.core.management import CommandError, call_command

from gamification.models import UserXP
from gamification.tests.backends.people import listed, people
from gamification.tests.backends.sorted_sets import at_once, copy, options

pytestmark = pytest.mark.redis
COMMANDS = ("rebuild_leaderboards", "check_leaderboards")


@pytest.fixture
def _in_redis(redis_url, transactional_db, settings):
    settings.GAMIFICATION = options(redis_url)
    with at_once():
        yield


def manage(name):
    out = StringIO()
    call_command(name, stdout=out)
    return out.getvalue()


def refused(name):
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command(name, stdout=out)
    return error.value.returncode, str(error.value), out.getvalue()


@pytest.mark.usefixtures("_in_redis")
class TestInRedis:
    def test_what_was_rebuilt_passes_the_check(self):
        people(30, 20)

        told = [manage(name) for name in COMMANDS]

        assert told == [
            "The leaderboards of 2 people are built.\n",
            "The leaderboards are as the database says.\n",
        ]

    def test_rows_that_were_changed_by_hand_are_told_and_then_mended(self):
        user = people(30, 20)[0]
        manage("rebuild_leaderboards")
        UserXP.objects.filter(user=user).update(total_xp=90)

        code, told, lines = refused("check_leaderboards")
        manage("rebuild_leaderboards")

        assert (code, told) == (1, "Found 1 difference. rebuild_leaderboards mends them.")
        assert lines == f"user {user.pk}: xp_all_time is 30 in Redis and 90 in the database\n"
        assert manage("check_leaderboards") == "The leaderboards are as the database says.\n"

    def test_sets_that_are_not_in_use_do_not_pass(self, redis_url):
        people(30)
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()

        code, _, lines = refused("check_leaderboards")

        assert (code, lines.partition(":")[0]) == (1, "the sorted sets are not in use")

    def test_nobody_rebuilds_while_another_process_does(self):
        with copy().lock("renew"):
            code, told, _ = refused("rebuild_leaderboards")

        assert (code, told.partition(";")[0]) == (1, "Another process is building the leaderboards in Redis")

    def test_a_rebuild_of_nobody(self):
        assert manage("rebuild_leaderboards") == "The leaderboards of 0 people are built.\n"
        assert listed() == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMMANDS)
def test_without_redis_the_command_says_what_broke(name, settings):
    settings.GAMIFICATION = options("redis://127.0.0.1:1/0")

    with at_once():
        code, told, _ = refused(name)

    assert code == 1
    assert told.startswith("Redis broke off: Error ")


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMMANDS)
def test_the_database_backend_has_nothing_to_rebuild_or_to_check(name):
    code, told, _ = refused(name)

    assert code == 1
    assert told == (
        "gamification.backends.database.DatabaseBackend keeps no scores outside of the database: "
        "there is nothing to rebuild or to check."
    )
