"""The user's key on the mail behind a notice."""

from __future__ import annotations

import contextlib

import pytest

from pepper_tui.engine.protocol import ChoiceError, EngineError
from pepper_tui.model import NotificationState
from tests.conformance.engine.stages import Stage
from tests.conformance.engine.test_notices import state


@pytest.mark.parametrize(
    ("act", "folder", "then"),
    [
        ("archive", "", NotificationState.DONE),
        ("read", "", NotificationState.DONE),
        ("move", "Work", NotificationState.DONE),
        ("flag", "", NotificationState.NEW),
    ],
)
async def test_a_key_files_the_mail_and_undo_takes_it_back(
    stage: Stage, act: str, folder: str, then: NotificationState
) -> None:
    ident = await stage.mail()
    assert "u takes it back" in await stage.engine.file([f"notification:{ident}"], act, folder)
    assert await state(stage, ident) is then

    async def undone() -> bool:
        with contextlib.suppress(EngineError):  # while it is being done, it says so
            return bool(await stage.engine.undo())
        return False

    await stage.until(undone)
    assert await state(stage, ident) is NotificationState.NEW


@pytest.mark.parametrize("folder", ["", "Nowhere"])
async def test_a_folder_that_is_not_there_is_asked_for_with_those_that_are(stage: Stage, folder: str) -> None:
    ident = await stage.mail()
    with pytest.raises(ChoiceError) as asked:
        await stage.engine.file([f"notification:{ident}"], "move", folder)
    assert "Work" in [said for said, _ in asked.value.choices]
    assert await state(stage, ident) is NotificationState.NEW


async def test_an_act_that_there_is_not_is_refused(stage: Stage) -> None:
    ident = await stage.mail()
    with pytest.raises(EngineError, match="no act"):
        await stage.engine.file([f"notification:{ident}"], "burn")
    assert await state(stage, ident) is NotificationState.NEW
