from django.db import migrations, models

from gamification.migrations._indexes import AddIndexBesideWriters, RemoveIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('gamification', '0008_public_profiles'),
    ]

    operations = [
        RemoveIndexBesideWriters(
            model_name='userachievement',
            name='gamification_unlocks',
        ),
        AddIndexBesideWriters(
            model_name='userachievement',
            index=models.Index(fields=['achievement', 'unlocked_at', 'revoked_at'], name='gamification_unlocks'),
        ),
        AddIndexBesideWriters(
            model_name='xptransaction',
            index=models.Index(fields=['earned_on'], name='gamification_xp_earned_on'),
        ),
        AddIndexBesideWriters(
            model_name='xptransaction',
            index=models.Index(condition=models.Q(('earned_on__isnull', True)), fields=['created_at'], name='gamification_xp_undated'),
        ),
    ]
