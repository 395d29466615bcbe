"""From a home to a running Pepper: with or without the screen, over the ordinary engine or the demo's world.

Heavy imports are inside the functions, so that the first frame comes before them.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.engine.interpreter import (
    DaemonThreads,
    collect_seldom,
    log_cleanly,
    share_one_heap,
    share_threads_fairly,
)
from pepper_tui.home.written import section
from pepper_tui.text.errors import PepperError
from pepper_tui.ui.shared.endings import Endings

if TYPE_CHECKING:
    from pepper_tui.config import Config
    from pepper_tui.demo.world import DemoWorld
    from pepper_tui.engine.answers.served import ServedEngine as Engine
    from pepper_tui.engine.at_rest import HomeAtRest
    from pepper_tui.engine.protocol import Engine as EngineProtocol
    from pepper_tui.ui.screen.connections.accounts import Accounts

EXIT_TROUBLE: Final = 1
EXIT_CONFIG: Final = 2
EXIT_LOCKED: Final = 3
EXIT_APPROVALS: Final = 4
EXIT_UNMET: Final = 5
EXIT_INTERRUPTED: Final = 130


class LaunchError(PepperError):
    """Raised if Pepper can't start here. ``lines`` say why and what to do; ``code`` is the exit code."""

    def __init__(self, code: int, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.code = code
        self.lines = lines


def missing_config(home: Path) -> LaunchError:
    """Return the error for a home without a config."""
    return LaunchError(
        EXIT_CONFIG,
        f"Pepper has no config yet: {home / 'config.toml'} is not there.",
        "",
        "  To see Pepper at work on sample mail, without any setup:   pepper --demo",
        "  To begin with your own mail and calendar, a few questions:         pepper init",
        "  Every key there is, to write a config by hand:                     pepper config example",
    )


def read_config(home: Path) -> Config:
    """Read the home's config. Raises ``LaunchError``."""
    from pepper_tui.config import ConfigError, load_config

    try:
        config = load_config(home)
        _check_keys(home, config)
        return config
    except FileNotFoundError as error:
        raise missing_config(home) from error
    except ConfigError as error:
        raise LaunchError(EXIT_CONFIG, *error.problems) from error
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise LaunchError(EXIT_CONFIG, f"{home / 'config.toml'}: {words}") from error


def _check_keys(home: Path, config: Config) -> None:
    """Raise ``ConfigError`` if ``[ui.keys]`` has an invalid binding."""
    if not config.ui.keys:
        return
    from pepper_tui.config import ConfigError, place_of
    from pepper_tui.ui.shared.rebinding import rebound

    path = home / "config.toml"
    if wrong := rebound(config.ui.keys)[1]:
        source = plain_text(path)
        raise ConfigError([f"{place_of(path, source, f'ui.keys.{key}')}: {words}" for key, words in wrong.items()])


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The settings that the first frame needs. An invalid config counts as none: it is refused a moment later."""

    theme: str = "pepper"
    plain: bool = False


def first_look(home: Path) -> FirstLook:
    """Read only ``[ui]``, without the imports that the whole config needs."""
    wishes = section(home, "ui")
    return FirstLook(str(wishes.get("theme", "pepper")), wishes.get("plain") is True)


@asynccontextmanager
async def opened(home: Path, *, feeds: bool = True, world: DemoWorld | None = None) -> AsyncIterator[Engine]:
    """Yield the home's engine, started and serving `ask`, `log` and `status`; close it at the end.

    Raises ``LaunchError``; code 3 if another engine holds the home.
    """
    engine = await open_engine(home, world)
    try:
        with _refused_in_words(home):
            await engine.start(feeds=feeds)
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def resting(home: Path) -> AsyncIterator[HomeAtRest]:
    """Yield the home as it stands, to be read while no engine runs in it. Raises ``LaunchError``."""
    config = read_config(home)
    from pepper_tui.engine.at_rest import at_rest

    with _refused_in_words(home):
        async with at_rest(home, config) as rest:
            yield rest


@contextmanager
def _refused_in_words(home: Path) -> Iterator[None]:
    """Turn refusals of the home, its config or its store into ``LaunchError``."""
    from pepper_tui.config import ConfigError
    from pepper_tui.engine.answers.socket import RemoteError
    from pepper_tui.store import HomeLockedError, StoreError

    try:
        yield
    except HomeLockedError as error:
        raise locked(home) from error
    except ConfigError as error:
        raise LaunchError(EXIT_CONFIG, *error.problems) from error
    except (StoreError, RemoteError) as error:
        raise LaunchError(EXIT_TROUBLE, str(error)) from error


async def open_engine(home: Path, world: DemoWorld | None = None) -> Engine:
    """Open the engine of ``home``, holding its lock, not started. ``world`` begins with it. Raises ``LaunchError``."""
    log_cleanly()
    share_one_heap()
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    # in threads: the imports take a second, and a visible screen must stay responsive
    config = await asyncio.to_thread(read_config, home)
    served = await asyncio.to_thread(importlib.import_module, "pepper_tui.engine.answers.served")
    from pepper_tui.config import Secrets
    from pepper_tui.engine.logs import log_to

    log_to(home, Secrets.without)
    try:
        with _refused_in_words(home):
            engine: Engine = await served.ServedEngine.open(home, config)
    except OSError as error:
        raise unwritable(home, error) from error
    if world:
        engine.started = world.begin
    return engine


def unwritable(home: Path, error: OSError) -> LaunchError:
    """Return the error for a home that Pepper can't work in."""
    return LaunchError(
        EXIT_TROUBLE,
        f"Pepper can't write to {home}: {error.strerror or error}.",
        "Give yourself the right to write to it and to what is in it, or take another: --home DIR",
        "`pepper status`, `pepper log` and `pepper doctor` only read.",
    )


def locked(home: Path) -> LaunchError:
    """Return the error for a home that another engine holds."""
    return LaunchError(
        EXIT_LOCKED,
        f"Another Pepper runs in {home}.",
        "Talk to it with `pepper ask`, `pepper log` or `pepper status`, or give this one a home of its own: --home DIR",
    )


def without_terminal(home: Path, *, plain: bool) -> int:
    """Say why there is no screen, or no ``plain`` lines, without a terminal; return the exit code."""
    from pepper_tui.store import HomeLock, HomeLockedError

    with suppress(OSError):  # other problems of the home are reported where it is used
        try:
            with HomeLock(home):
                pass
        except HomeLockedError:
            return report(locked(home))
    needs = "--plain reads what you type from a terminal" if plain else "The screen needs a terminal"
    return report(LaunchError(EXIT_TROUBLE, f"{needs}; without one: `pepper ask TEXT`, or `pepper run --headless`"))


def run_screen(home: Path, *, demo: bool = False, plain: bool = False) -> int:
    """Show the screen, or talk in ``plain`` lines, until the user quits; return the exit code."""
    share_threads_fairly()
    look = first_look(home)
    if plain or look.plain or only_lines():
        return _run_plain(home, demo=demo)
    collect_seldom()  # before the imports: each full collection during them delays the first frame
    from pepper_tui.ui.screen.app import PepperApp

    refused: list[LaunchError] = []
    engines: list[Engine] = []
    with ExitStack() as surroundings:

        async def connect() -> EngineProtocol:
            try:
                world = None
                if demo:  # in a thread, as its imports take a while
                    world = await asyncio.to_thread(surroundings.enter_context, _demo_world(home))
                engine = await open_engine(home, world)
                engines.append(engine)
                collect_seldom()
                app.dress(engine.config.ui)
                return engine
            except LaunchError as error:  # printed below a closed screen, with their exit code
                refused.append(error)
                app.exit()
                raise

        def accounts() -> Accounts:
            from pepper_tui.setup.accounts.desk import AccountDesk

            return AccountDesk(home)

        app = PepperApp(connect, theme=look.theme, accounts=None if demo else accounts)
        try:
            app.run()
        except KeyboardInterrupt:  # one more Ctrl+C, after the screen had closed
            return EXIT_INTERRUPTED
        if app.return_code == 128 + signal.SIGHUP:
            _speak_to_nobody()
    _say_left(engines)
    return report(refused[0]) if refused else app.return_code or 0


def _speak_to_nobody() -> None:
    """Silence the output: the terminal is gone, so any further output would only be an error."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nobody, stream)


def _say_left(engines: Iterable[Engine]) -> None:
    """Print what closed engines left undone."""
    for words in [str(getattr(engine, "left", "")) for engine in engines]:
        if words:
            print(words)


def only_lines() -> bool:
    """Check whether the terminal can show only lines."""
    return os.environ.get("TERM") in ("dumb", "unknown")


def _run_plain(home: Path, *, demo: bool) -> int:
    """Talk in lines until the user leaves; return the exit code."""
    from pepper_tui.ui.plain import PlainConversation

    refused: list[LaunchError] = []
    engines: list[Engine] = []
    with ExitStack() as surroundings:

        async def connect() -> EngineProtocol:
            try:
                world = await asyncio.to_thread(surroundings.enter_context, _demo_world(home)) if demo else None
                engine = await open_engine(home, world)
                engines.append(engine)
                talk.dress(engine.config.ui)
                return engine
            except LaunchError as error:
                refused.append(error)
                talk.over.set()
                raise

        async def run() -> int:
            return await talk.run()

        talk = PlainConversation(connect)
        code = asyncio.run(run())
    _say_left(engines)
    return report(refused[0]) if refused else code


@contextmanager
def _demo_world(home: Path) -> Iterator[DemoWorld]:
    from pepper_tui.demo.config import ForeignHomeError
    from pepper_tui.demo.sink import MissingPackageError
    from pepper_tui.demo.world import DemoWorld

    world = DemoWorld(home)
    try:
        world.start()
    except (ForeignHomeError, MissingPackageError) as error:
        raise LaunchError(EXIT_CONFIG, str(error)) from error
    except OSError as error:
        raise LaunchError(EXIT_TROUBLE, f"the demo can't write to {home}: {error}") from error
    try:
        yield world
    finally:
        world.stop()


def demo_home() -> Path:
    """Return a fresh home for one demo."""
    return Path(tempfile.mkdtemp(prefix="pepper-demo-"))


def run_headless(home: Path, *, demo: bool = False) -> int:
    """Run the engine without a screen until SIGINT or SIGTERM; return the exit code."""
    share_threads_fairly()
    try:
        with _demo_world(home) if demo else nullcontext() as world:
            return asyncio.run(_headless(home, world))
    except LaunchError as error:
        return report(error)


async def _headless(home: Path, world: DemoWorld | None) -> int:
    stop = asyncio.Event()
    endings = Endings(stop.set)
    with endings.watched(signal.SIGINT):
        async with opened(home, world=world) as engine:
            model = "offline, by rules" if engine.offline else engine.model_name
            try:
                print(f"Pepper runs in {home} (model: {model}). Ctrl+C stops it.", flush=True)
            except OSError:  # nobody can read it: the work goes on
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            await stop.wait()
        with suppress(OSError):  # nobody may be there to read it
            _say_left([engine])
            print("Pepper has stopped.", flush=True)
    return 0 if endings.number in (signal.SIGINT, signal.SIGTERM) else 128 + endings.number


def report(error: LaunchError) -> int:
    """Print on stderr why Pepper did not start; return the exit code."""
    print("\n".join(error.lines), file=sys.stderr)
    return error.code
