"""What leaves the app: sent after commit, with ``send_robust``, and never for what was rolled back or replayed.

Every signal carries ``user`` and the keyword arguments that its comment names.
"""

from django.dispatch import Signal

activity_recorded = Signal()  # activity, receipt
activity_voided = Signal()  # activity, voided (Voided)
xp_awarded = Signal()  # transaction
level_up = Signal()  # previous_level, level (LevelInfo)
achievement_unlocked = Signal()  # user_achievement
achievement_revoked = Signal()  # user_achievement
streak_changed = Signal()  # change (StreakChange)
freeze_used = Signal()  # date, reason
