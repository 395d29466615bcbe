"""Answers to a command from the home's engine: the running one, or one opened for the command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from pepper_tui.command.launch import (
    EXIT_TROUBLE,
    LaunchError,
    missing_config,
    opened,
    resting,
)
from pepper_tui.engine.answers.socket import NoEngineError, request

Json = dict[str, Any]


@asynccontextmanager
async def answers_of(home: Path, verb: str, arguments: Json, *, opens: bool) -> AsyncIterator[AsyncIterator[Json]]:
    """Yield the answer of the engine that runs in ``home``.

    Without one it raises ``LaunchError``, unless ``opens``: then `ask` and `answer` open an engine for the question,
    without feeds; other verbs read the home as it stands.
    """
    first: list[Json] = []
    async with aclosing(request(home, verb, arguments)) as remote:
        try:
            first.append(await anext(remote))
        except StopAsyncIteration:
            yield _chained([], None)
            return
        except NoEngineError:
            if not opens:
                if not (home / "config.toml").exists():
                    raise missing_config(home) from None
                raise LaunchError(
                    EXIT_TROUBLE, f"no engine runs in {home}; start it with `pepper` or `pepper run --headless`"
                ) from None
        else:
            yield _chained(first, remote)
            return
    if not (home / "config.toml").exists():
        raise missing_config(home)
    from pepper_tui.engine.answers import queries

    if verb in ("ask", "answer"):
        async with opened(home, feeds=False) as engine:
            await engine.servers_begun()
            yield queries.answers(engine)[verb](arguments)
    else:
        async with resting(home) as rest:
            yield queries.answers_at_rest(rest)[verb](arguments)


async def _chained(first: list[Json], rest: AsyncIterator[Json] | None) -> AsyncIterator[Json]:
    for item in first:
        yield item
    if rest:
        async for item in rest:
            yield item
