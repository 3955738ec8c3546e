from django.db import migrations, models

from gamification.migrations._indexes import AddIndexBesideWriters, RemoveIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('gamification', '0012_guards'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='userxp',
            index=models.Index(condition=models.Q(('is_visible', False), ('is_excluded', True), _connector='OR'), fields=['user'], name='gamification_hidden'),
        ),
        RemoveIndexBesideWriters(
            model_name='userxp',
            name='gamification_opted_out',
        ),
    ]
