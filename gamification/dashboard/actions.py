"""The two buttons of the streak card: plain forms that post, and come back with a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gamification.dashboard import words
from gamification.exceptions import GamificationError
from gamification.services import streaks

if TYPE_CHECKING:
    from django.http import HttpResponse

    from gamification.dashboard.requests import UserRequest
    from gamification.engine.results import StreakChange

#: The tag of messages that are worth confetti.
CELEBRATE = "gx-celebrate"


@login_required
@require_POST
def touch(request: UserRequest) -> HttpResponse:
    """Record today's visit and say what it did to the streak."""
    change = streaks.touch(request.user)
    if "increased" in change.transitions or "started" in change.transitions:
        messages.success(request, _touched(change), extra_tags=CELEBRATE, fail_silently=True)
    else:
        messages.info(request, _("Today already counts. See you tomorrow!"), fail_silently=True)
    return redirect("gamification:dashboard")


@login_required
@require_POST
def freeze(request: UserRequest) -> HttpResponse:
    """Use a freeze for today, or say why not."""
    try:
        change = streaks.freeze(request.user)
    except GamificationError as error:
        messages.warning(request, words.refusal(error), fail_silently=True)
    else:
        said = _("Today was frozen already.") if change.is_replay else _("Today is frozen. Your streak is safe.")
        messages.success(request, said, fail_silently=True)
    return redirect("gamification:dashboard")


def _touched(change: StreakChange) -> str:
    said = ngettext("Day %(days)s of your streak!", "%(days)s days in a row!", change.current) % {
        "days": number_format(change.current, force_grouping=True)
    }
    if not change.xp_awarded:
        return said
    return _("%(said)s You earned %(xp)s XP.") % {
        "said": said,
        "xp": number_format(change.xp_awarded, force_grouping=True),
    }
