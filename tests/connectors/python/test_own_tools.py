"""Tools of the user's own: the example of the docs at work behind an approval, and files that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, parse_config
from pepper_tui.connectors.python.tools import OwnToolsError, load_own_tools
from pepper_tui.engine.building.builtin_tools import ToolParts
from pepper_tui.engine.engine import Engine
from pepper_tui.model import CallState, ContextFilter, Health, Namespace
from tests.tools.bench import Bench, World, bench_config

EXAMPLE = Path(__file__).parents[3] / "docs/examples/list_tools.py"
GOOD = '''
from pepper_tui.model import Effect
from pepper_tui.tools import tool

@tool(effect=Effect.READ)
async def {name}(ctx, room: str = "hall") -> str:
    """How warm it is."""
    return "21 degrees in the " + room
'''


async def test_the_example_of_the_docs_adds_only_after_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    bench = Bench(tmp_path / "p.db", ManualClock(), bench_config(), ToolParts(), World(), extra=load_own_tools(EXAMPLE))
    await bench.open()
    call = await bench.schedule("add_to_shopping_list", item="oat  milk")
    card = await bench.card(call)
    assert [line["value"] for line in card.effect["lines"]][:2] == ["oat milk", str(tmp_path / "shopping.txt")]
    assert not (tmp_path / "shopping.txt").exists()
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    assert (tmp_path / "shopping.txt").read_text() == "oat milk\n"
    read = await bench.schedule("read_shopping_list")
    await bench.state(read, CallState.SUCCEEDED)
    assert (await bench.result(read)).content == "oat milk\n"
    await bench.close()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\n", "makes no tool"),
        ("def (:\n", ":1: "),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        (GOOD.format(name="warmth").replace('    """How warm it is."""\n', ""), "'warmth' has no docstring"),
        (GOOD.format(name="warmth").replace("room: str", "room: object()"), "'warmth' has no schema"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, source: str, words: str) -> None:
    file = tmp_path / "t.py"
    file.write_text(source)
    with pytest.raises(OwnToolsError) as refused:
        load_own_tools(file)
    assert str(file) in str(refused.value)
    assert words in str(refused.value)


async def test_an_engine_has_them_and_one_bad_file_stops_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "warm.py").write_text(GOOD.format(name="warmth"))
    (home / "twice.py").write_text(GOOD.format(name="agenda"))
    source = '[[tool]]\nfile = "warm.py"\n[[tool]]\nfile = "twice.py"\n[[tool]]\nfile = "gone.py"\n'
    told = await healths(home, parse_config(source, home / "config.toml"))
    assert (told["tools.warm"].state, told["tools.warm"].detail) == ("ok", "warmth")
    assert "already is a tool named 'agenda'" in told["tools.twice"].detail
    assert "gone.py is not there" in told["tools.gone"].detail
    assert "restart" in told["tools.gone"].remedy
    told = await healths(home, parse_config("", home / "config.toml"))
    assert not any(part.startswith("tools.") for part in told)


async def healths(home: Path, config: Config) -> dict[str, Health]:
    engine = await Engine.open(home, config, ManualClock())
    await engine.start()
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.HEALTH]))
    await engine.close()
    return {context.context_id: Health.of(context) for context in found}
