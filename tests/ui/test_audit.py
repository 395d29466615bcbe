"""Every outside effect on screen: who decided what, when; filtered; and from each row to why and to the whole card."""

from __future__ import annotations

from pepper_tui.model import ApprovalState, CallState, Effect, Namespace, ToolCall
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.reading.audit import EffectList
from pepper_tui.ui.screen.reading.detail import DetailView
from tests.ui.fake_engine import T0, FakeEngine, approval
from tests.ui.seat import acts, press, seat, until


def decided(engine: FakeEngine, key: str, to: str, state: ApprovalState, at: float, note: str = "") -> None:
    card = approval(key, to=to, at=at)
    card.call, card.state, card.decided_at, card.decision_note = f"call_{key}", state, at + 60, note
    engine.put(Namespace.APPROVAL, card)


def history(engine: FakeEngine) -> None:
    decided(engine, "e1", "dana@example.com", ApprovalState.APPROVED, T0 - 3000)
    sent = ToolCall("call_e1", "send_mail", {}, Effect.SEND, T0 - 3000, "step:1", approval="e1")
    sent.state, sent.ended_at = CallState.SUCCEEDED, T0 - 2930
    engine.put(Namespace.TOOL_CALL, sent)
    decided(engine, "e2", "mallory@example.net", ApprovalState.REJECTED, T0 - 2000, "never heard of them")
    decided(engine, "e3", "old@example.com", ApprovalState.EXPIRED, T0 - 1000)
    engine.put(Namespace.APPROVAL, approval("e4", to="kim@example.com", at=T0 - 500))


def effects(app: PepperApp) -> EffectList:
    return app.query_one(EffectList)


async def test_every_effect_says_who_decided_what_and_when() -> None:
    async with seat(history) as (app, pilot, engine, _):
        await press(pilot, "f12")
        await until(lambda: bool(app.query(EffectList)) and effects(app).row_ids == ["e4", "e3", "e2", "e1"], pilot)
        await until(lambda: effects(app).virtual_size.height == 8, pilot)
        said = [effects(app).render_line(y).text.strip() for y in range(8)]
        assert "dana@example.com" in said[6]
        assert said[7].startswith("Approved by you, 07:11 · Succeeded, 07:11")
        assert said[5].startswith("Rejected by you, 07:27: never heard of them")
        assert said[3].startswith("Expired, 07:44")
        assert "by you" not in said[3]
        assert "Waits for your yes" in said[1]
        assert not app.query_one(Transcript).display
        engine.put(Namespace.APPROVAL, approval("e5", to="new@example.com", at=T0))
        await until(lambda: effects(app).row_ids[0] == "e5", pilot)  # it follows what happens


async def test_from_a_row_to_the_card_to_why_and_back_to_typing() -> None:
    async with seat(history) as (app, pilot, engine, _):
        await press(pilot, "f12")
        await until(lambda: bool(app.query(EffectList)) and bool(effects(app).row_ids), pilot)
        await press(pilot, "slash", *"mallory", "enter")
        assert effects(app).row_ids == ["e2"]
        await press(pilot, "enter")
        view = app.query_one(DetailView)
        await until(lambda: view.display and "Thursday at noon works" in view.words, pilot)
        assert "Rejected by you" in view.words
        await press(pilot, "y", "escape")
        await until(lambda: effects(app).has_focus, pilot)
        await press(pilot, "w")
        await until(lambda: bool(acts(engine, "why")), pilot)
        assert acts(engine, "why", "approve") == [("why", "approval:e2")]
        await press(pilot, "escape", "escape", "escape")
        await until(lambda: app.query_one(Composer).has_focus and app.query_one(Transcript).display, pilot)
        assert not app.query(EffectList)


async def test_sending_a_message_brings_the_conversation_back() -> None:
    async with seat(history, (80, 24)) as (app, pilot, engine, _):
        await press(pilot, "f12")
        await until(lambda: bool(app.query(EffectList)) and bool(effects(app).row_ids), pilot)
        app.query_one(Composer).focus()
        await press(pilot, "h", "i", "enter")
        await until(lambda: bool(acts(engine, "say")) and app.query_one(Transcript).display, pilot)
        assert not app.query(EffectList)
