"""The 27 achievements that ship with the app, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CATEGORIES = (
    "scenarios",
    "study_time",
    "streaks",
    "vocabulary",
    "conversations",
    "milestones",
    "perfection",
    "engagement",
    "special",
)
RARITIES = ("common", "rare", "epic", "legendary")


@dataclass(frozen=True, slots=True)
class Definition:
    """An achievement that unlocks when ``metric`` reaches ``value``; ``xp_reward`` is in XP points."""

    achievement_id: str
    name: str
    description: str
    category: str
    rarity: str
    xp_reward: int
    icon: str
    metric: str
    value: int

    @property
    def conditions(self) -> dict[str, Any]:
        """Return the condition in its stored form."""
        return {"v": 1, "all": [{"metric": self.metric, "op": "gte", "value": self.value}]}


def _in_category(category: str, *rows: tuple[str, str, str, str, int, str, str, int]) -> tuple[Definition, ...]:
    return tuple(Definition(row[0], row[1], row[2], category, *row[3:]) for row in rows)


# Each row: id, name, description, rarity, XP, icon, metric, value.
CATALOGUE: tuple[Definition, ...] = (
    *_in_category(
        "scenarios",
        (
            "first_scenario",
            "First Scenario",
            "Complete your first scenario",
            "common",
            50,
            "🎬",
            "scenarios_completed",
            1,
        ),
        (
            "scenario_explorer",
            "Scenario Explorer",
            "Complete 5 scenarios",
            "common",
            50,
            "🧭",
            "scenarios_completed",
            5,
        ),
        (
            "scenario_enthusiast",
            "Scenario Enthusiast",
            "Complete 10 scenarios",
            "rare",
            100,
            "🎭",
            "scenarios_completed",
            10,
        ),
        ("scenario_expert", "Scenario Expert", "Complete 25 scenarios", "rare", 150, "🎯", "scenarios_completed", 25),
        ("scenario_master", "Scenario Master", "Complete 50 scenarios", "epic", 300, "🏆", "scenarios_completed", 50),
        (
            "scenario_marathoner",
            "Scenario Marathoner",
            "Complete 100 scenarios",
            "epic",
            500,
            "🏃",
            "scenarios_completed",
            100,
        ),
    ),
    *_in_category(
        "study_time",
        ("quick_learner", "Quick Learner", "Study for 1 hour in total", "common", 50, "⚡", "study_minutes", 60),
        (
            "dedicated_student",
            "Dedicated Student",
            "Study for 10 hours in total",
            "rare",
            100,
            "📚",
            "study_minutes",
            600,
        ),
        ("study_champion", "Study Champion", "Study for 50 hours in total", "rare", 200, "🎓", "study_minutes", 3000),
        (
            "study_legend",
            "Study Legend",
            "Study for 100 hours in total",
            "legendary",
            1000,
            "👑",
            "study_minutes",
            6000,
        ),
    ),
    *_in_category(
        "streaks",
        ("week_warrior", "Week Warrior", "Reach a 7-day streak", "rare", 100, "🔥", "longest_streak", 7),
        ("month_master", "Month Master", "Reach a 30-day streak", "epic", 400, "📅", "longest_streak", 30),
        (
            "unstoppable_force",
            "Unstoppable Force",
            "Reach a 100-day streak",
            "legendary",
            1000,
            "🚀",
            "longest_streak",
            100,
        ),
    ),
    *_in_category(
        "vocabulary",
        ("word_collector", "Word Collector", "Learn 50 words", "common", 50, "📝", "words_learned", 50),
        ("vocabulary_builder", "Vocabulary Builder", "Learn 250 words", "rare", 150, "🧱", "words_learned", 250),
        ("vocabulary_virtuoso", "Vocabulary Virtuoso", "Learn 1,000 words", "epic", 350, "📖", "words_learned", 1000),
    ),
    *_in_category(
        "conversations",
        (
            "conversationalist",
            "Conversationalist",
            "Hold 10 conversations",
            "common",
            50,
            "💬",
            "conversations_completed",
            10,
        ),
        (
            "dialogue_master",
            "Dialogue Master",
            "Hold 50 conversations",
            "rare",
            150,
            "🗣",
            "conversations_completed",
            50,
        ),
        (
            "social_butterfly",
            "Social Butterfly",
            "Hold 100 conversations",
            "rare",
            200,
            "🦋",
            "conversations_completed",
            100,
        ),
    ),
    *_in_category(
        "milestones",
        ("first_steps", "First Steps", "Earn your first 100 XP", "common", 50, "👣", "total_xp_earned", 100),
        ("rising_star", "Rising Star", "Reach level 10", "rare", 150, "🌟", "level", 10),
        ("centurion", "Centurion", "Be active on 100 different days", "epic", 400, "💯", "active_days", 100),
    ),
    *_in_category(
        "perfection",
        (
            "perfectionist",
            "Perfectionist",
            "Finish 5 scenarios with a perfect score",
            "rare",
            150,
            "💎",
            "perfect_scenarios",
            5,
        ),
        (
            "flawless_master",
            "Flawless Master",
            "Finish 25 scenarios with a perfect score",
            "epic",
            500,
            "✨",
            "perfect_scenarios",
            25,
        ),
    ),
    *_in_category(
        "engagement",
        ("early_bird", "Early Bird", "Study between 05:00 and 08:00 on 5 days", "common", 50, "🌅", "early_days", 5),
        ("night_owl", "Night Owl", "Study between 22:00 and 02:00 on 5 days", "common", 50, "🦉", "night_days", 5),
    ),
    *_in_category(
        "special",
        ("polyglot", "Polyglot", "Complete scenarios in 3 languages", "rare", 200, "🌍", "languages_practised", 3),
    ),
)
