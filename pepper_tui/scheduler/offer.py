"""The tools offered in a step's request: the everyday ones, and those of the topics that came up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from pepper_tui.config import Offered
from pepper_tui.model import MORE_TOOLS, Entry, Json, ToolSpec
from pepper_tui.scheduler.topics import EVERY_DAY, Topic, topics_of

FEW: Final = 11
"""How many tools a small model is offered at most, besides ``wait``."""
_ALWAYS: Final = 6  # everyday tools that no topic displaces
_LISTED: Final = 20  # tools named per topic
_SMALL: Final = 24_000  # characters per prompt: about 8,000 tokens; all tools would fill most of that


class Offer:
    """Selects the offered tools.

    A topic that came up stays, because each change makes the provider reread the prompt.
    """

    def __init__(self, mode: Offered) -> None:
        self._mode = mode
        self._open: list[str] = []
        self._small = mode == "few"

    def forget(self) -> None:
        """Close all topics, for a prompt that starts over."""
        self._open = []

    def choose(self, specs: Sequence[ToolSpec], entries: Sequence[Entry], room: int) -> list[ToolSpec]:
        """Return those of ``specs`` that a step about ``entries`` offers.

        ``room``: characters that a prompt may have.
        """
        if self._mode == "all":
            return [spec for spec in specs if spec.name != MORE_TOOLS]
        by_name = {spec.name: spec for spec in specs}
        topics = topics_of(by_name)
        for topic in topics:
            if topic.name not in self._open and any(_concerns(topic, entry) for entry in entries):
                self._open.append(topic.name)
        opened = [topic for name in reversed(self._open) for topic in topics if topic.name == name]  # newest first
        closed = [topic for topic in topics if topic.name not in self._open]
        aside = {name for topic in topics for name in topic.tools}
        daily: list[str] = [name for name in EVERY_DAY if name in by_name]
        daily += [name for name in by_name if name not in aside and name not in daily and name != MORE_TOOLS]
        by_turns = zip_longest(*(topic.tools for topic in opened))  # if not all fit, each topic gets its first ones
        of_topics = [name for some in by_turns for name in some if name is not None]
        self._small = self._small or room < _SMALL  # permanently: fewer tools leave more room, which must not undo this
        if self._small:
            first, rest = daily[:_ALWAYS], daily[_ALWAYS:]
            chosen = [*first, *of_topics, *rest][: FEW - 1]
            closed = topics
        else:
            chosen = [*daily, *of_topics]
        if closed and MORE_TOOLS in by_name:
            by_name[MORE_TOOLS] = _with_topics(by_name[MORE_TOOLS], closed)
            chosen.append(MORE_TOOLS)
        return [by_name[name] for name in sorted(chosen)]


def _concerns(topic: Topic, entry: Entry) -> bool:
    """Return whether the user's words name the topic, or the model asked for it or used one of its tools."""
    if entry.kind == "user_msg":
        return topic.named_in(str(entry.facts.get("text", "")))
    name = entry.facts.get("name", "") if entry.kind == "tool_result" else ""
    asked = entry.facts.get("arguments", {}).get("topics") if name == MORE_TOOLS else None
    return name in topic.tools or (isinstance(asked, list) and topic.name in asked)


def _with_topics(spec: ToolSpec, topics: Sequence[Topic]) -> ToolSpec:
    """Return the spec of the tool that requests more tools, listing the existing topics."""
    listed = "; ".join(f"{topic.name}: {', '.join(_bare(topic))}" for topic in topics)
    items: Json = {"type": "string", "enum": [topic.name for topic in topics]}
    asked = {**spec.parameters["properties"]["topics"], "items": items}
    return replace(
        spec,
        description=f"{spec.description}\n\nTopics and their tools: {listed}",
        parameters={**spec.parameters, "properties": {"topics": asked}},
    )


def _bare(topic: Topic) -> list[str]:
    bare = [name.removeprefix(f"{topic.name}__") for name in topic.tools[:_LISTED]]
    return [*bare, f"and {len(topic.tools) - _LISTED} more"] if len(topic.tools) > _LISTED else bare
