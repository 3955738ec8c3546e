"""The backend in Redis: the contract, on one server and on a cluster of six nodes."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from gamification.backends import redis
from gamification.backends.sorted_sets import renewal
from gamification.conf import get_settings
from gamification.tests.backends import sorted_sets
from gamification.tests.backends.contract import BackendContract
from gamification.tests.backends.people import NOON

#: Where the contract asks what only the database can know. So does whoever asks first after the time to live.
FROM_THE_DATABASE = {
    "test_a_group_is_ranked_within_itself": "a group",
    "test_nobody_outside_a_group_hides_in_it": "a group",
    "test_pages_within_a_group": "a group",
    "test_any_counter_can_be_a_board": "a board that the sets were not built for",
    "test_a_question_about_the_past_does_not_disturb_the_present": "the past",
}


@pytest.mark.redis
class InRedis(BackendContract):
    """The contract with what the services wrote in sorted sets, and no answer from elsewhere."""

    backend = sorted_sets.PATH
    url = ""

    @pytest.fixture(autouse=True)
    def _copy(self, request, transactional_db, settings, monkeypatch, caplog):
        settings.GAMIFICATION = sorted_sets.options(request.getfixturevalue(self.url))
        asked, ask = [], redis.RedisBackend._ask

        def spy(backend, script, board, now, *rest):
            reply = ask(backend, script, board, now, *rest)
            is_long_after = abs(now - NOON) >= timedelta(seconds=get_settings().LEADERBOARD_TTL)
            asked.append((board.metric, reply is not None or is_long_after))
            return reply

        monkeypatch.setattr(redis.RedisBackend, "_ask", spy)
        with sorted_sets.at_once(), caplog.at_level(logging.WARNING, "gamification"):
            sorted_sets.rebuild()
            yield
            assert [record.getMessage() for record in caplog.records] == []
        if request.node.originalname not in FROM_THE_DATABASE:
            assert [metric for metric, is_as_it_should in asked if not is_as_it_should] == []

    @pytest.fixture(autouse=True)
    def _backend(self, _copy):
        """Use the settings above."""

    def catch_up(self):
        renewal.check_hidden(sorted_sets.copy(), NOON)


class TestRedisBackend(InRedis):
    url = "redis_url"


@pytest.mark.cluster
class TestRedisClusterBackend(InRedis):
    url = "redis_cluster_url"
