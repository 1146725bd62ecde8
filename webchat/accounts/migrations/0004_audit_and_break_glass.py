import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


REFUSAL = "The audit trail is only written on"

# Whoever gets at the database without the portal cannot rewrite it by the way either. On SQLite a later migration that
# makes this table anew loses its triggers and has to set them again; a test looks after them.
TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER accounts_auditevent_no_{verb} BEFORE {verb.upper()} ON accounts_auditevent"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        f"""
        CREATE FUNCTION accounts_auditevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$
        """,
        """
        CREATE TRIGGER accounts_auditevent_append_only BEFORE UPDATE OR DELETE ON accounts_auditevent
        FOR EACH ROW EXECUTE FUNCTION accounts_auditevent_refuse()
        """,
    ],
}
BACK = {
    "sqlite": [f"DROP TRIGGER IF EXISTS accounts_auditevent_no_{verb}" for verb in ("update", "delete")],
    "postgresql": [
        "DROP TRIGGER accounts_auditevent_append_only ON accounts_auditevent",
        "DROP FUNCTION accounts_auditevent_refuse()",
    ],
}


def set_triggers(apps, schema_editor):
    for statement in TRIGGERS.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


def drop_triggers(apps, schema_editor):
    for statement in BACK.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_role'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='time')),
                ('actor_name', models.CharField(blank=True, max_length=150, verbose_name='actor')),
                ('action', models.CharField(choices=[('grant', 'allocation granted'), ('change', 'allocation changed'), ('revoke', 'allocation revoked'), ('adjust', 'usage adjusted'), ('request', 'asked for more'), ('request_granted', 'request granted'), ('request_changed', 'request granted with changes'), ('request_refused', 'request refused'), ('token_added', 'API token added'), ('token_changed', 'API token changed'), ('token_replaced', "API token's secret replaced"), ('token_disabled', 'API token taken out of use'), ('token_tested', 'API token tested'), ('token_handed_over', 'API token handed over'), ('token_deleted', 'API token deleted'), ('token_refused', 'API token refused by the service'), ('model_changed', 'model changed'), ('person_invited', 'person invited'), ('invitation_changed', 'invitation changed'), ('person_joined', 'invitation accepted'), ('person_added', 'person added'), ('person_changed', 'person changed'), ('person_deactivated', 'person deactivated'), ('person_deleted', 'person deleted'), ('role_changed', 'role changed'), ('staff_signed_in', 'staff signed in'), ('staff_sign_in_failed', 'staff sign-in failed'), ('staff_signed_out', 'staff signed out'), ('break_glass_opened', 'break-glass opened'), ('break_glass_read', 'conversation read'), ('break_glass_closed', 'break-glass closed'), ('export', 'exported')], db_index=True, max_length=30, verbose_name='action')),
                ('target_type', models.CharField(blank=True, max_length=100, verbose_name='kind of target')),
                ('target_id', models.CharField(blank=True, max_length=64, verbose_name='id of the target')),
                ('target_label', models.CharField(blank=True, max_length=200, verbose_name='target')),
                ('person_name', models.CharField(blank=True, max_length=150, verbose_name='person')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('details', models.JSONField(default=dict, verbose_name='details')),
                ('actor', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='actor')),
                ('person', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
                ('address', models.GenericIPAddressField(null=True, verbose_name='address')),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit events',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='BreakGlass',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('opened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='break_glasses', to=settings.AUTH_USER_MODEL)),
                ('opened_by_name', models.CharField(max_length=150)),
                ('reason', models.TextField(max_length=500, validators=[django.core.validators.MinLengthValidator(10, 'Say why, in 10 characters or more.')])),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('until', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('dismissed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'break-glass',
                'verbose_name_plural': 'break-glasses',
                'ordering': ['-opened_at'],
            },
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_staff', True), ('is_superuser', True), ('role', 'owner')), models.Q(('is_staff', True), ('is_superuser', False), ('role__in', ['allocator', 'auditor'])), models.Q(('is_superuser', False), ('role', 'member')), _connector='OR'), name='owners_are_superusers'),
        ),
        migrations.AddIndex(
            model_name='breakglass',
            index=models.Index(condition=models.Q(('dismissed_at', None)), fields=['person'], name='unseen_notices'),
        ),
        migrations.RunPython(set_triggers, drop_triggers),
    ]
