from django.db import migrations, models

from gamification.migrations._fields import AddFieldAlone
from gamification.migrations._indexes import AddIndexBesideWriters, RemoveIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('gamification', '0012_guards'),
    ]

    operations = [
        AddFieldAlone(
            model_name='activity',
            name='allowance',
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        AddFieldAlone(
            model_name='userday',
            name='allowances',
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        AddFieldAlone(
            model_name='userxp',
            name='is_excluded',
            field=models.BooleanField(db_default=False, default=False, verbose_name='excluded from leaderboards'),
        ),
        AddIndexBesideWriters(
            model_name='userxp',
            index=models.Index(condition=models.Q(('is_visible', False), ('is_excluded', True), _connector='OR'), fields=['user'], name='gamification_hidden'),
        ),
        RemoveIndexBesideWriters(
            model_name='userxp',
            name='gamification_opted_out',
        ),
    ]
