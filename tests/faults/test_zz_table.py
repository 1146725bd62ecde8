import pytest

pytestmark = pytest.mark.django_db


def test_table(run):
    with open("/tmp/faults-table.md", "w") as f:
        for id in sorted(run.outcomes):
            o = run.outcomes[id]
            f.write(f"| {id} | {o.answer.state} | {o.shown.sentence or '—'} |\n")
