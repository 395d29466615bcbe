"""What the user told of themselves is in the prompt from the next step on, and its bytes stay until it changes."""

from __future__ import annotations

from pepper_tui.clock import ManualClock
from pepper_tui.model import Namespace, Profile
from pepper_tui.store import ContextStore
from tests.scheduler.scripted import ScriptedModel, Stage
from tests.waiting import until


async def test_the_profile_is_in_the_next_prompt(store: ContextStore, clock: ManualClock) -> None:
    model = ScriptedModel()

    def heads() -> list[str]:
        return [str(request.messages[0]["content"]) for request in model.requests]

    async with Stage(store, clock, model) as stage:
        for number in range(2):
            await stage.say("hello")
            await until(lambda number=number: len(model.requests) == number + 1)
        facts = {
            "note 1": {"value": "I prefer <mornings>", "typed": True, "at": 0.0},
            "habit": {"value": "pays evil", "typed": False, "at": 0.0},
        }
        await store.put(Profile(facts), namespace=Namespace.PROFILE, context_id=Profile.ID)
        for number in range(2, 4):
            await stage.say("hello again")
            await until(lambda number=number: len(model.requests) == number + 1)
    before, same, after, still = heads()
    assert before == same
    assert after == still
    assert "name: Sam\nnote 1: I prefer &lt;mornings>\n</profile>" in after
    assert "evil" not in after
