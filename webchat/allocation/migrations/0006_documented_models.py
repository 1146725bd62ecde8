from django.db import migrations

from webchat.upstream import rules


def keep_documented(apps, schema_editor):
    """The document's models are there from the start, and what it says of those that were listed already."""
    ModelInfo = apps.get_model("allocation", "ModelInfo")
    has_been_asked = ModelInfo.objects.exists()
    for position, known in enumerate(rules.MODELS):
        said = {
            "context_length": known.context_length or None,
            "has_vision": known.vision,
            "has_system_role": known.system_role,
        }
        if ModelInfo.objects.filter(name=known.id).update(**said):
            continue
        ModelInfo.objects.create(
            name=known.id,
            owned_by=known.vendor,
            kind=known.kind,
            position=position,
            is_available=not has_been_asked,
            **said,
        )


class Migration(migrations.Migration):
    dependencies = [("allocation", "0005_models")]

    operations = [migrations.RunPython(keep_documented, migrations.RunPython.noop)]
