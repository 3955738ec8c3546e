"""Who staff keep off the boards of others: with a reason, undone with another."""

from __future__ import annotations

import pytest
from django.core.exceptions import ObjectDoesNotExist

from gamification.exceptions import AlreadyExcluded, InvalidInput, NotExcluded
from gamification.models import BoardExclusion, UserXP
from gamification.services import exclusions, integrity, leaderboards, privacy
from gamification.tests.backends.people import DAY, NOON, person
from gamification.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LATER = NOON + DAY


@pytest.fixture
def ada():
    return person(score=50)


@pytest.fixture
def grace():
    return UserFactory(username="grace")


def test_the_decision_is_kept_with_who_when_and_why(ada, grace):
    exclusions.exclude(ada, reason=" a script ", actor=grace, now=NOON)
    exclusions.lift(ada, reason="it was not", actor=grace, now=LATER)

    row = BoardExclusion.objects.get()
    assert (row.user, row.reason, row.excluded_by, row.excluded_at) == (ada, "a script", grace, NOON)
    assert (row.lift_reason, row.lifted_by, row.lifted_at, row.is_in_force) == ("it was not", grace, LATER, False)


def test_it_can_be_done_and_undone_once_and_again(ada):
    with pytest.raises(NotExcluded):
        exclusions.lift(ada, reason="nothing to lift")
    exclusions.exclude(ada, reason="once")
    with pytest.raises(AlreadyExcluded):
        exclusions.exclude(ada, reason="twice")
    exclusions.lift(ada, reason="lifted")
    exclusions.exclude(ada, reason="again")

    assert list(BoardExclusion.objects.order_by("id").values_list("reason", flat=True)) == ["once", "again"]


@pytest.mark.parametrize("reason", ["", "  ", None, "x" * 256, "\x00"])
def test_a_reason_is_needed(ada, reason):
    with pytest.raises(InvalidInput):
        exclusions.exclude(ada, reason=reason)

    assert not exclusions.is_excluded(ada)


def test_somebody_without_rows_can_be_excluded():
    newcomer = UserFactory()

    exclusions.exclude(newcomer, reason="known from elsewhere")

    assert exclusions.is_excluded(newcomer)


def test_why_somebody_is_not_listed_is_told_apart(ada):
    assert privacy.why_unlisted(ada) == ""
    exclusions.exclude(ada, reason="a script")
    assert privacy.why_unlisted(ada) == "excluded"
    privacy.set_visibility(ada, visible=False)
    assert privacy.why_unlisted(ada) == "choice"
    exclusions.lift(ada, reason="it was not")
    assert privacy.why_unlisted(ada) == "choice"


def test_an_export_tells_of_it_and_not_who_decided(ada, grace):
    exclusions.exclude(ada, reason="a script", actor=grace, now=NOON)

    (told,) = privacy.export(ada)["board_exclusions"]

    assert told["reason"] == "a script"
    assert "excluded_by" not in told


def test_erasing_whoever_decided_forgets_who_it_was(ada, grace):
    exclusions.exclude(ada, reason="a script", actor=grace, now=NOON)

    privacy.erase(grace)

    assert BoardExclusion.objects.get().excluded_by is None


def test_erasing_somebody_leaves_nothing_of_it(ada):
    exclusions.exclude(ada, reason="a script", now=NOON)

    erased = privacy.erase(ada)

    assert erased["board_exclusions"] == 1
    with pytest.raises(ObjectDoesNotExist):
        BoardExclusion.objects.get()


def test_what_was_decided_counts_and_not_the_mark(ada):
    exclusions.exclude(ada, reason="a script", now=NOON)
    UserXP.objects.update(is_excluded=False)

    with pytest.raises(AlreadyExcluded):
        exclusions.exclude(ada, reason="again", now=NOON)


@pytest.mark.parametrize("is_excluded", [True, False])
def test_verify_finds_and_mends_a_mark_that_no_decision_stands_behind(ada, is_excluded):
    exclusions.exclude(ada, reason="a script", now=NOON)
    if is_excluded:
        BoardExclusion.objects.all().delete()
    UserXP.objects.update(is_excluded=is_excluded)

    drifts = [drift.fact for drift in integrity.verify(now=NOON)]
    list(integrity.repair(now=NOON))

    assert drifts == ["is_excluded"]
    assert exclusions.is_excluded(ada) is not is_excluded
    assert list(integrity.verify(now=NOON)) == []


def test_the_excluded_still_see_their_own_rank_and_neighbours(ada):
    others = [person(score=60), person(score=40)]
    exclusions.exclude(ada, reason="a script", now=NOON)

    mine = leaderboards.top("xp_all_time", viewer=ada, now=NOON)

    assert (mine.me.rank, mine.total) == (2, 2)
    assert [row.user_id for row in mine.around] == [others[0].pk, ada.pk, others[1].pk]
