import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gamification', '0010_name_of_the_achievement_held'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='activity',
            options={'permissions': [('record_activity', 'Can record activities for others'), ('void_activity', 'Can void activities')], 'verbose_name': 'activity', 'verbose_name_plural': 'activities'},
        ),
        migrations.CreateModel(
            name='VoidedActivity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=255, verbose_name='reason')),
                ('voided_at', models.DateTimeField(verbose_name='voided at')),
                ('achievements', models.JSONField(blank=True, default=list, verbose_name='achievements revoked')),
                ('activity', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='void', to='gamification.activity', verbose_name='activity')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'voided activity',
                'verbose_name_plural': 'voided activities',
                'indexes': [models.Index(fields=['user', '-voided_at'], name='gamification_voided_newest')],
            },
        ),
    ]
