import pytest
pytestmark = pytest.mark.django_db
import time
def test_probe(run):
    for id, o in run.outcomes.items():
        u=o.answer.usage
        print(id, o.answer.state, repr(o.answer.text[:40]), len(o.answer.text), '|', o.shown.sentence, '|', o.shown.verbs, '|', repr(o.shown.body[:30]), o.shown.facts, '|', u.outcome, u.origin, u.prompt_tokens, u.completion_tokens, len(o.calls), '|', o.next_answer.state, o.next_answer.text)
    print([ (t.outcome, t.origin, t.model) for t in run.titles])
    print(len(run.log)); print("\n".join(sorted(set(run.log))[:80]))
