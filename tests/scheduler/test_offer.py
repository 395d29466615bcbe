"""Which tools a step offers: what is said names its topic, a topic stays, and a small model has twelve at most."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from pepper_tui.engine.building.builtin_tools import builtin_tools
from pepper_tui.model import MORE_TOOLS, Effect, Entry, Json, ToolSpec
from pepper_tui.scheduler.offer import FEW, Offer
from pepper_tui.scheduler.topics import EVERY_DAY, TOPICS

SPECS = [tool.spec for tool in builtin_tools() if tool.offered]
ROOM = 120_000
BY_TOPIC = {topic.name: set(topic.tools) for topic in TOPICS}


def said(text: str) -> list[Entry]:
    return [Entry("user_msg", text, {"text": text})]


def signal(text: str) -> list[Entry]:
    return [Entry("signal", text, {"content": text})]


def result(name: str, **arguments: Json | list[str]) -> list[Entry]:
    return [Entry("tool_result", "", {"name": name, "arguments": arguments})]


def names(specs: list[ToolSpec]) -> set[str]:
    return {spec.name for spec in specs}


def foreign(server: str, *tools: str) -> list[ToolSpec]:
    return [ToolSpec(f"{server}__{name}", name, {"type": "object", "properties": {}}, Effect.READ) for name in tools]


def test_each_built_in_tool_has_one_place() -> None:
    places = [*EVERY_DAY, MORE_TOOLS, *(name for topic in TOPICS for name in topic.tools)]
    assert sorted(places) == sorted(spec.name for spec in SPECS)


@pytest.mark.parametrize("mode", ["auto", "few"])
def test_what_is_of_every_day_is_offered_and_the_rest_can_be_asked_for(mode: str) -> None:
    offered = Offer(mode).choose(SPECS, signal("Always invite me to a meeting"), ROOM)  # type: ignore[arg-type]
    assert names(offered) <= {*EVERY_DAY, MORE_TOOLS}
    [more] = [spec for spec in offered if spec.name == MORE_TOOLS]
    assert set(more.parameters["properties"]["topics"]["items"]["enum"]) == set(BY_TOPIC)
    assert all(name in more.description for tools in BY_TOPIC.values() for name in tools)


def test_a_model_by_rule_is_offered_all() -> None:
    assert names(Offer("all").choose(SPECS, said("hello"), ROOM)) == {spec.name for spec in SPECS} - {MORE_TOOLS}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("always tell me when Ann writes", "rules"),
        ("From now on, nothing before 9.", "rules"),
        ("sag mir immer Bescheid, sobald Ann schreibt", "rules"),
        ("stop the rule about invoices", "rules"),
        ("remind me tomorrow, and which reminders are there?", "reminders"),
        ("tell me if Bob has not answered by Friday", "reminders"),
        ("erinnere mich, wenn er nicht antwortet", "reminders"),
        ("put lunch with Ann into my calendar", "calendar"),
        ("when am I free on Tuesday?", "calendar"),
        ("Trag den Termin ein", "calendar"),
        ("Habe ich morgen Zeit?", "calendar"),
        ("note that the wifi is 1234", "notes"),
        ("merk dir das", "notes"),
        ("I'm allergic to nuts", "profile"),
        ("never mail anybody before 9", "profile"),
        ("nie vor neun Uhr anrufen", "profile"),
        ("my wife is called Eva", "profile"),
        ("ich wohne jetzt in Bonn", "profile"),
        ("look into ~/work/plan.txt", "files"),
        ("which files are in my folder?", "files"),
        ("lies die Datei vor", "files"),
        ("summarise https://example.org/a", "web"),
        ("what does example.com say?", "web"),
        ("lies diese Seite", "web"),
        ("write to Bob that I am late", "mail"),
        ("schick Bob die Zahlen", "mail"),
        ("Mail Bob that I am late", "mail"),
        ("what did you do today?", "work"),
        ("never mind, cancel that", "work"),
        ("the mail agent should know that it is 8,500 now", "work"),
        ("was hast du gestern gemacht?", "work"),
    ],
)
def test_the_users_words_open_a_topic(text: str, topic: str) -> None:
    assert BY_TOPIC[topic] <= names(Offer("auto").choose(SPECS, said(text), ROOM))
    small = names(Offer("few").choose(SPECS, said(text), ROOM))
    assert next(each for each in TOPICS if each.name == topic).tools[0] in small


def test_a_topic_stays_until_the_talk_is_begun_anew() -> None:
    offer = Offer("auto")
    first = offer.choose(SPECS, said("my name is Sam"), ROOM)
    assert offer.choose(SPECS, signal("news"), ROOM) == first  # so the provider's cache holds
    offer.forget()
    assert not BY_TOPIC["profile"] & names(offer.choose(SPECS, signal("news"), ROOM))


@pytest.mark.parametrize("topic", BY_TOPIC)
def test_what_is_asked_for_comes_with_the_result_also_after_a_restart(topic: str) -> None:
    asked = Offer("auto").choose(SPECS, result(MORE_TOOLS, topics=[topic, "no such topic"]), ROOM)
    assert BY_TOPIC[topic] <= names(asked)
    [more] = [spec for spec in asked if spec.name == MORE_TOOLS]
    assert topic not in more.parameters["properties"]["topics"]["items"]["enum"]
    assert BY_TOPIC[topic] <= names(Offer("auto").choose(SPECS, result(TOPIC_TOOL[topic]), ROOM))


TOPIC_TOOL = {topic.name: topic.tools[-1] for topic in TOPICS}


@pytest.mark.parametrize("given", ["rules", {"rules": 1}, None, 3])
def test_topics_in_another_shape_open_nothing(given: object) -> None:
    odd = [Entry("tool_result", "", {"name": MORE_TOOLS, "arguments": {"topics": given}})]
    assert names(Offer("auto").choose(SPECS, odd, ROOM)) == {*EVERY_DAY, MORE_TOOLS}


def test_a_small_model_has_twelve_at_most_whatever_came_up() -> None:
    offer = Offer("few")
    everything = "always note my meeting in the file at https://a.example, remind me, my name is Sam, what did you do"
    for entries in (said("hello"), said(everything), *(result(tool) for tool in TOPIC_TOOL.values())):
        offered = offer.choose(SPECS, entries, ROOM)
        assert len(offered) <= FEW < 12  # and `wait`
        assert {"notify", "draft_reply", MORE_TOOLS} <= names(offered)
    assert BY_TOPIC["work"] & names(offered)  # the newest topic is there


def test_a_window_that_turns_out_small_makes_few_of_many_for_good() -> None:
    offer = Offer("auto")
    offer.choose(SPECS, said("my name is Sam, always"), ROOM)
    assert len(offer.choose(SPECS, signal("x"), 20_000)) <= FEW
    assert len(offer.choose(SPECS, signal("x"), ROOM)) <= FEW  # else it would go to and fro


def test_a_server_of_few_tools_is_of_every_day_and_one_of_many_is_a_topic() -> None:
    few = foreign("tracker", *(f"do_{n}" for n in range(8)))
    assert names(few) <= names(Offer("auto").choose([*SPECS, *few], signal("x"), ROOM))
    many = [*few, *foreign("github", "create_issue", "list_pulls", "a_(b")]
    offered = Offer("auto").choose([*SPECS, *many], signal("x"), ROOM)
    assert not names(many) & names(offered)
    assert "create_issue, list_pulls" in next(s.description for s in offered if s.name == MORE_TOOLS)
    for words in ("look at GitHub", "open an issue for that", "which pulls are there?"):
        assert "github__create_issue" in names(Offer("auto").choose([*SPECS, *many], said(words), ROOM))
        assert "tracker__do_1" not in names(Offer("auto").choose([*SPECS, *many], said(words), ROOM))


def test_a_server_of_very_many_tools_does_not_fill_the_prompt() -> None:
    many = foreign("huge", *(f"tool_number_{n}" for n in range(500)))
    [more] = [s for s in Offer("auto").choose([*SPECS, *many], signal("x"), ROOM) if s.name == MORE_TOOLS]
    assert len(more.description) < 3000
    assert re.search(r"tool_number_\d+, and \d+ more", more.description)


def test_an_own_tool_is_of_every_day() -> None:
    own = replace(SPECS[0], name="feed_the_cat")
    assert "feed_the_cat" in names(Offer("auto").choose([*SPECS, own], signal("x"), ROOM))


def test_what_is_offered_is_less_than_half_of_all() -> None:
    def size(specs: list[ToolSpec]) -> int:
        return sum(len(spec.description) + len(json.dumps(spec.parameters)) for spec in specs)

    assert size(Offer("auto").choose(SPECS, said("Reply to Dana that it comes"), ROOM)) < size(SPECS) / 2
