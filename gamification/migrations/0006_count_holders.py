from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gamification', '0005_public_profiles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='userachievement',
            index=models.Index(condition=models.Q(('revoked_at__isnull', False)), fields=['achievement'], name='gamification_revoked'),
        ),
    ]
