from django.db import migrations, models


def make_superusers_owners(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    User.objects.filter(is_superuser=True).update(role="owner", is_staff=True)
    # Nobody but superusers could do anything there.
    User.objects.filter(is_superuser=False).update(is_staff=False)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_ended_session'),
    ]

    operations = [
        migrations.AlterModelManagers(
            name='user',
            managers=[
            ],
        ),
        migrations.AddField(
            model_name='user',
            name='role',
            field=models.CharField(choices=[('owner', 'owner'), ('allocator', 'allocator'), ('auditor', 'auditor'), ('member', 'member')], default='member', editable=False, max_length=10, verbose_name='role'),
        ),
        migrations.RunPython(make_superusers_owners, migrations.RunPython.noop),
    ]
