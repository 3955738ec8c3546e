import django.db.models.deletion
import gamification.models.profiles
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gamification', '0007_excused_dates_undone'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PublicProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_public', models.BooleanField(default=False, verbose_name='public')),
                ('slug', models.CharField(default=gamification.models.profiles.new_slug, editable=False, max_length=43, unique=True, verbose_name='address')),
                ('showcase', models.JSONField(blank=True, default=list, verbose_name='showcase')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'public profile',
                'verbose_name_plural': 'public profiles',
            },
        ),
    ]
