"""XP, levels, achievements, daily streaks and leaderboards for any Django project."""

__version__ = "0.1.0"
