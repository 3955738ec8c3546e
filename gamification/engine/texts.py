"""The words that are stored in English and read in the reader's language: names, titles and kinds that ship."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop


def translated(text: str) -> str:
    """Return what was stored in the active language; what a project or its staff wrote itself stays as written."""
    return gettext(text) if text else ""


#: Marked here because the rules know nothing of Django; a test holds that these are exactly the shipped ones.
SHIPPED = (
    # Achievements
    gettext_noop("First Scenario"),
    gettext_noop("Complete your first scenario"),
    gettext_noop("Scenario Explorer"),
    gettext_noop("Complete 5 scenarios"),
    gettext_noop("Scenario Enthusiast"),
    gettext_noop("Complete 10 scenarios"),
    gettext_noop("Scenario Expert"),
    gettext_noop("Complete 25 scenarios"),
    gettext_noop("Scenario Master"),
    gettext_noop("Complete 50 scenarios"),
    gettext_noop("Scenario Marathoner"),
    gettext_noop("Complete 100 scenarios"),
    gettext_noop("Quick Learner"),
    gettext_noop("Study for 1 hour in total"),
    gettext_noop("Dedicated Student"),
    gettext_noop("Study for 10 hours in total"),
    gettext_noop("Study Champion"),
    gettext_noop("Study for 50 hours in total"),
    gettext_noop("Study Legend"),
    gettext_noop("Study for 100 hours in total"),
    gettext_noop("Week Warrior"),
    gettext_noop("Reach a 7-day streak"),
    gettext_noop("Month Master"),
    gettext_noop("Reach a 30-day streak"),
    gettext_noop("Unstoppable Force"),
    gettext_noop("Reach a 100-day streak"),
    gettext_noop("Word Collector"),
    gettext_noop("Learn 50 words"),
    gettext_noop("Vocabulary Builder"),
    gettext_noop("Learn 250 words"),
    gettext_noop("Vocabulary Virtuoso"),
    gettext_noop("Learn 1,000 words"),
    gettext_noop("Conversationalist"),
    gettext_noop("Hold 10 conversations"),
    gettext_noop("Dialogue Master"),
    gettext_noop("Hold 50 conversations"),
    gettext_noop("Social Butterfly"),
    gettext_noop("Hold 100 conversations"),
    gettext_noop("First Steps"),
    gettext_noop("Earn your first 100 XP"),
    gettext_noop("Rising Star"),
    gettext_noop("Reach level 10"),
    gettext_noop("Centurion"),
    gettext_noop("Be active on 100 different days"),
    gettext_noop("Perfectionist"),
    gettext_noop("Finish 5 scenarios with a perfect score"),
    gettext_noop("Flawless Master"),
    gettext_noop("Finish 25 scenarios with a perfect score"),
    gettext_noop("Early Bird"),
    gettext_noop("Study between 05:00 and 08:00 on 5 days"),
    gettext_noop("Night Owl"),
    gettext_noop("Study between 22:00 and 02:00 on 5 days"),
    gettext_noop("Polyglot"),
    gettext_noop("Complete scenarios in 3 languages"),
    # Titles
    gettext_noop("Novice"),
    gettext_noop("Apprentice"),
    gettext_noop("Adept"),
    gettext_noop("Expert"),
    gettext_noop("Master"),
    gettext_noop("Grandmaster"),
    gettext_noop("Legend"),
    gettext_noop("Mythic"),
    # Kinds of activity
    gettext_noop("Scenario completed"),
    gettext_noop("Conversation completed"),
    gettext_noop("Words learned"),
    gettext_noop("Study session"),
    gettext_noop("Daily visit"),
)
