"""What is asked again in the moment in which the one before goes: two of one name would end the screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widget import Widget

from pepper_tui.model import Approval
from pepper_tui.ui.screen.app import PepperApp
from tests.ui.fake_engine import approval
from tests.ui.seat import seat, until

Ask = Callable[[PepperApp, str], None]


def edit(app: PepperApp, ident: str) -> None:
    app.asking.edit(Approval.of(approval(ident).data()))


def ask(app: PepperApp, ident: str) -> None:
    app.asking.ask(f"Which {ident}", lambda _: None)


@pytest.mark.parametrize(("name", "again"), [("form", edit), ("prompt", ask)])
async def test_what_is_asked_anew_comes_once_the_one_before_has_gone(name: str, again: Ask) -> None:
    async with seat() as (app, pilot, _, _clock):

        def there() -> list[Widget]:
            return [*app.query(f"#{name}")]

        again(app, "a1")
        await until(lambda: bool(there()), pilot)
        [first] = there()
        again(app, "a2")  # one is open: the other is not asked
        await pilot.pause()
        assert there() == [first]
        app.asking.left()
        again(app, "a3")
        await until(lambda: bool(there()) and there() != [first], pilot)
        await pilot.pause()
        assert len(there()) == 1
        assert app.asking.open
        assert app.return_code is None
