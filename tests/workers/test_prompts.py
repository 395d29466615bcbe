"""What a worker is told before it begins: whom it works for, the time with its weekday, how far it may go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pepper_tui.config import User, Worker
from pepper_tui.model import AgentState, Effect, Namespace, Profile, ToolSpec
from pepper_tui.workers.run.loop import ABOUT_LIMIT
from tests.workers import fakes
from tests.workers.fakes import House, Model, final
from tests.workers.test_pool import Homes, ignore, saved

USER = User(
    name="Sam <b>",
    addresses=["sam@example.com", "sam@home.example"],
    profile="Meetings never before 10.",
)


@pytest.fixture
async def homes(tmp_path: Path) -> AsyncIterator[Homes]:
    made = Homes(tmp_path)
    yield made
    for house in list(made.open):
        await made.close(house)


async def system_of(house: House, agent: str | None = None, call: str = "d1") -> str:
    await house.pool.delegate(house.call(call), "t", agent, ignore)
    return str(house.model.requests[-1].messages[0]["content"])


async def test_it_knows_the_user_and_only_what_they_said_themselves(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(House, "user", USER)
    house = await homes(Model(lambda _: final("x")))
    facts = {"tone": {"value": "brief", "at": 0.0, "typed": True}, "boss": {"value": "Eve", "at": 0.0, "typed": False}}
    await house.store.put(Profile(facts), namespace=Namespace.PROFILE, context_id=Profile.ID)
    said = await system_of(house)
    for words in ("name: Sam &lt;b>", "sam@example.com, sam@home.example", "Meetings never before 10.", "tone: brief"):
        assert words in said
    assert "Eve" not in said


async def test_a_long_profile_is_cut_and_says_so(homes: Homes) -> None:
    house = await homes(Model(lambda _: final("x")))
    bare = len(await system_of(house))
    facts = {f"note {n}": {"value": "x" * 500, "at": 0.0, "typed": True} for n in range(60)}
    await house.store.put(Profile(facts), namespace=Namespace.PROFILE, context_id=Profile.ID)
    said = await system_of(house, call="d2")
    assert "[cut: read_profile has the rest]" in said
    assert len(said) < bare + ABOUT_LIMIT + 200


@pytest.mark.parametrize("steps", [3, 20])
async def test_it_knows_its_bound_its_time_and_that_reading_goes_side_by_side(homes: Homes, steps: int) -> None:
    house = await homes(Model(lambda _: final("x")), [Worker(name="short", max_steps=steps)])
    house.clock.jump(datetime(2026, 11, 27, 9, 30, tzinfo=UTC).timestamp() - house.clock.now())
    said = await system_of(house, "short")
    assert f"at most {steps} steps" in said
    assert "beside each other" in said
    assert "ask_user" in said
    last = str(house.model.requests[-1].messages[-1]["content"])
    assert last.splitlines()[-1].startswith('<now zone="UTC">Friday 2026-11-27T09:30')


async def test_every_kind_may_ask_the_user_and_no_worker_tells_another(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [ToolSpec("ask_user", "Ask.", fakes.OBJECT, Effect.READ), ToolSpec("tell_worker", "", {}, Effect.LOCAL)]
    monkeypatch.setattr(fakes, "SPECS", [*fakes.SPECS, *more])
    kinds = [Worker(name="narrow", tools=["look"]), Worker(name="asks", tools=["ask_user", "look"])]
    house = await homes(Model(lambda _: final("x")), kinds)
    for name, offered in (("narrow", ["look", "ask_user"]), ("asks", ["ask_user", "look"]), (None, None)):
        await house.pool.delegate(house.call(str(name)), "t", name, ignore)
        names = [spec.name for spec in house.model.requests[-1].tools]
        assert offered is None or names == [*offered, "return_final_answer"]
        assert "ask_user" in names
        assert "tell_worker" not in names


@pytest.mark.parametrize("name", ["jim", "General Manager", "mail agents"])
async def test_an_unknown_name_is_an_error_that_names_those_there_are(homes: Homes, tmp_path: Path, name: str) -> None:
    kinds = [Worker(name="researcher"), Worker(name="broken", file=tmp_path / "nowhere.py")]
    house = await homes(Model(lambda _: final("x")), kinds)
    with pytest.raises(ValueError, match=f"no worker '{name}'; there are: general, mail-agent, researcher$"):
        await house.pool.delegate(house.call(), "t", name, ignore)
    assert house.model.requests == []


async def test_a_name_with_a_memory_goes_on(homes: Homes) -> None:
    """Of an older version, where any name made a worker."""
    house = await homes(Model(lambda _: final("x")))
    memory = AgentState([{"task": "before", "answer": "found", "n": 1, "at": 0.0}])
    await house.store.put(memory, namespace="memory.jim", context_id="jim")
    await house.pool.delegate(house.call(), "t", "Jim", ignore)
    assert (await saved(house, "d1")).agent == "jim"
    assert "before" in str(house.model.requests[-1].messages)
