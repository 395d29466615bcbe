"""Every Python snippet of the three documents that Pepper comes from, word for word.

``RUNS``: a snippet that a user writes runs as it stands in a file of theirs, after what it leaves to the imagination
(``process_email_signal``, ``IMPORTANT_USERS`` …). ``REPLACED``: a snippet that sketches Pepper's
inside is listed with what takes its place here, and that is there.
"""

from __future__ import annotations

import asyncio
import importlib
import textwrap
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import OPEN_TAG, AgentState, ContextFilter, Effect, Namespace, ToolCall
from pepper_tui.store import ContextStore
from pepper_tui.workers.kinds import load_class
from tests.connectors.python.feed_files import Running
from tests.llm.server import ModelServer
from tests.scheduler.scripted import ScriptedModel, Stage
from tests.scheduler.test_own_priority import OF_THE_SEED
from tests.waiting import until

# ------------------------------------------------------------------------------- 000: Coding Nexus, the short article

STEP_000 = """
async def scheduler_step(self):
    events = await self.get_batch_events()
    self.state_tracker.add_events(events)

    messages = [
        {"role": "system", "content": "You are Pepper's scheduler."},
        {"role": "user", "content": self.state_tracker.get_user_prompt()},
    ]

    response = await create_completion(messages, self.tools)
    self.state_tracker.add_event(response)

    if response.tool_calls:
        for tool_call in response.tool_calls:
            self.tool_call_engine.schedule(tool_call)
"""
FEED_000 = """
@subscriber.on_context_update(namespaces=["raw.email"])  
async def email_feed(update):  
    raw_email = update.context.data  
    if "urgent" in raw_email["subject"].lower():  
        signal = {  
            "id": f"signal_{raw_email['id']}",  
            "content": f"Urgent email from {raw_email['sender']}"  
        }  
        await context_store.store(signal, namespace="signals.email")
"""  # noqa: W291
STATE_000 = """
latest_contexts = await context_store.query(  
    ContextFilter(namespaces=["memory-email-agent"], limit=1)  
)  
  
if latest_contexts:  
    self.state = AgentState(**latest_contexts[0].data)
"""  # noqa: W291, W293
FLOW_000 = """
@app.on_event("new_email")
async def ingest_email(data):
    await context_store.store(data, namespace="raw.email")

@subscriber.on_context_update(namespaces=["raw.email"])
async def process_email(update):
    processed = process_email_signal(update.context)
    await context_store.store(processed, namespace="signals.processed")
"""
QUEUE_000 = """
@subscriber.on_context_update(namespaces=["signals.*"])
async def add_to_queue(update):
    await self.priority_queue.put(update)
"""

# ---------------------------------------------------------------------------------------- 001: the Thaki Cloud tutorial

INGEST_001 = """
# Gmail webhook triggers
@app.on_event("new_email")
async def ingest_raw_event(data: dict):
    await context_store.store(
        context_id=data.get("id", None) or uuid.uuid(),
        data=data,
        namespace="raw.email"
    )
"""
FEED_001 = """
# Email Feed subscribes to raw emails
@subscriber.on_context_update(namespaces=["raw.email"])
async def email_feed(update: ContextUpdate):
    # Find related context using semantic search
    related_docs = await context_store.search(text=update.context.text)
    processed_signal = process_email_signal(update.context, related_docs)
    
    # Emit processed signal
    await context_store.store(
        context_id="processed_" + update.context.context_id,
        data=processed_signal,
        namespace="signals.processed"
    )
"""  # noqa: W293
QUEUE_001 = """
# Scheduler adds signal to priority queue
@subscriber.on_context_update(namespaces=["signals.*"])
async def add_to_queue(self, update: ContextUpdate):
    priority = determine_priority(update.context.data)
    await self.priority_queue.put((priority, update))
"""
STEP_001 = """
# Scheduler continuously processes queue
async def scheduler_step(self):
    events = await self.get_batch_events()
    self.state_tracker.add_events(events)
    
    messages = [
        {"role": "system", "content": SCHEDULER_SYSTEM_PROMPT},
        {"role": "user", "content": self.state_tracker.get_user_prompt()},
    ]
    
    response = await create_completion(messages, self.tools)
    self.state_tracker.add_event(response)
    
    # Schedule tool calls for background execution
    if response.tool_calls:
        for tool_call in response.tool_calls:
            self.tool_call_engine.schedule(tool_call)
"""  # noqa: W293
NOTIFY_001 = """
# Worker sends notification to user
await worker.execute_tool("send_notification", {
    "message": "Urgent email from Alice about Project Phoenix - deadline tomorrow",
    "priority": "high"
})
"""
SLACK_001 = """
# Custom Slack Feed Example
@subscriber.on_context_update(namespaces=["raw.slack"])
async def slack_feed(update: ContextUpdate):
    message = update.context.data
    
    # Filter for urgent mentions
    if "@urgent" in message["text"] or message["user"] in IMPORTANT_USERS:
        processed_signal = {
            "content": f"Urgent Slack message from {message['user']}: {message['text']}",
            "priority": "high",
            "source": "slack"
        }
        
        await context_store.store(
            data=processed_signal,
            namespace="signals.processed"
        )
"""  # noqa: W293
PRIORITY_001 = OF_THE_SEED
WORKER_001 = '''
class DataAnalysisWorker(StatefulWorker):
    """Worker specialized in data analysis tasks"""
    
    def __init__(self):
        super().__init__()
        self.tools = [
            "run_sql_query",
            "generate_visualization",
            "calculate_statistics"
        ]
    
    async def execute_task(self, task_description):
        # Load previous state if exists
        state = await self.load_state()
        
        # Perform analysis
        result = await self.run_analysis(task_description)
        
        # Save state
        await self.save_state(result)
        
        # Return to scheduler
        return result
'''  # noqa: W293
TUNING_001 = """
# Adjust batch size for event processing
SCHEDULER_BATCH_SIZE = 5  # Process 5 events per cycle

# Set max queue size
MAX_QUEUE_SIZE = 100  # Prevent memory issues
"""
POOL_001 = """
# Configure worker pool size
MAX_CONCURRENT_WORKERS = 10
WORKER_TIMEOUT = 300  # 5 minutes
"""

# ----------------------------------------------------------------------------------------- 002: the original's own post

STEP_002 = '''
async def scheduler_step(self):
    """A condensed version of the scheduler's core, non-blocking loop."""
    
    events = await self.get_batch_events()
    self.state_tracker.add_events(events)

    messages = [
        {"role": "system", "content": SCHEDULER_SYSTEM_PROMPT},
        {"role": "user", "content": self.state_tracker.get_user_prompt()},
    ]
    
    response = await create_completion(messages, self.tools)

    # Record the full LLM response (thoughts and tool calls) to the state log.
    self.state_tracker.add_event(response)

    # Schedule tool calls for the engine to execute in the background.
    if response.tool_calls:
        for tool_call in response.tool_calls:
            self.tool_call_engine.schedule(tool_call)
'''  # noqa: W293
SIGNAL_002 = """
# A feed that listens to source namespaces, processes the data, 
# and emits a new signal to the "target" namespace.
@subscriber.on_context_update(namespaces=["source1", "source2"])
async def process_data_into_signal(update):
    raw_data = update.context.data
    # Processing can be a simple function or a complex agentic system
    processed_signal = agentic_system(raw_data)
    
    await context_store.store(
        processed_signal,
        namespace="target"
    )
"""  # noqa: W291, W293
STATE_002 = """
# The worker's memory is defined by its state, containing its event history.
class AgentState:
    events: List[Event]
    summary: Optional[str] = None

# Before acting, the worker retrieves its last known state from the Context Store.
latest_contexts = await context_store.query(
    ContextFilter(namespaces=["memory-email-agent"], limit=1)
)
if latest_contexts:
    # Load the previous state to resume the conversation where it left off.
    self.state = AgentState(**latest_contexts[0].data)
"""
INGEST_002 = """
# 1. Ingestion: A webhook or other trigger stores raw data into a namespace.
@app.on_event("new_email")
async def ingest_raw_event(data: dict):
    await context_store.store(
\t\t    context_id=data.get("id", None) or uuid.uuid(),
        data=data,
        namespace="raw.email"
    )
"""
FEED_002 = """
# 2. Feed: Subscribes to raw events, enriches them, and emits a new signal.
@subscriber.on_context_update(namespaces=["raw.email"])
async def email_feed(update: ContextUpdate):
    # Find related context using semantic search.
    related_docs = await context_store.search(text=update.context.text)
    processed_signal = process_email_signal(update.context, related_docs)

    # Emit the processed signal to a new namespace.
    await context_store.store(
\t\t    context_id="processed_" + update.context.context_id, 
        data=processed_signal,
        namespace="signals.processed"
    )
"""  # noqa: W291
QUEUE_002 = """
# 3. Scheduler: Listens for processed signals and adds them to a priority queue.
@subscriber.on_context_update(namespaces=["signals.*"])
async def add_to_queue(self, update: ContextUpdate):
    priority = determine_priority(update.context.data)
    await self.priority_queue.put((priority, update))
"""
LOOP_002 = """
# The scheduler's main loop continuously processes tasks from its queue.
async def run_scheduler_loop(self):
    while True:
        await self.scheduler_step()
"""

RUNS = {
    "000 feed": FEED_000,
    "000 state": STATE_000,
    "000 flow": FLOW_000,
    "001 ingest": INGEST_001,
    "001 feed": FEED_001,
    "001 slack": SLACK_001,
    "001 priority": PRIORITY_001,
    "001 worker": WORKER_001,
    "002 signal": SIGNAL_002,
    "002 state": STATE_002,
    "002 ingest": INGEST_002,
    "002 feed": FEED_002,
}
REPLACED = {
    "000 step": (STEP_000, "pepper_tui.scheduler.loop:Scheduler._think"),
    "000 queue": (QUEUE_000, "pepper_tui.scheduler.intake:Intake.open"),
    "001 queue": (QUEUE_001, "pepper_tui.scheduler.ranks:rank_of"),
    "001 step": (STEP_001, "pepper_tui.scheduler.loop:Scheduler._think"),
    "001 notify": (NOTIFY_001, "pepper_tui.workers:StatelessWorker.call_tool"),
    "001 batch and queue": (TUNING_001, "pepper_tui.config:Scheduler.model_fields[batch_size]"),
    "001 worker pool": (POOL_001, "pepper_tui.config:Config.model_fields[worker_slots]"),
    "002 step": (STEP_002, "pepper_tui.scheduler.loop:Scheduler._think"),
    "002 queue": (QUEUE_002, "pepper_tui.scheduler.ranks:rank_of"),
    "002 loop": (LOOP_002, "pepper_tui.scheduler.loop:Scheduler._run"),
}

HEAD = "from pepper_tui.api import *\nimport uuid\nfrom typing import List, Optional\n"
IMAGINED = """
def process_email_signal(context, related_docs=()):
    known = len([hit for hit in related_docs if hit.context.namespace == "note"])
    return {"content": f"Mail: {context.data['subject']}", "metadata": {"related": known}}
"""
MAIL = {"id": "7", "subject": "URGENT: phoenix", "sender": "alice@example.com"}


@pytest.mark.parametrize("name", REPLACED)
def test_what_takes_the_place_of_a_sketch_is_there(name: str) -> None:
    sketch, place = REPLACED[name]
    compile(sketch, name, "exec", flags=0x2000)  # top-level await
    module, _, path = place.partition(":")
    found: object = importlib.import_module(module)
    path, _, key = path.removesuffix("]").partition("[")
    for part in path.split("."):
        found = getattr(found, part)
    assert key in found if key else callable(found)  # type: ignore[operator]


def test_the_table_is_whole() -> None:
    snippets = [value for name, value in globals().items() if name[-4:-1] == "_00" and isinstance(value, str)]
    told = [*RUNS.values(), *(sketch for sketch, _ in REPLACED.values())]
    assert sorted(snippets) == sorted(told)
    assert len(told) == 22


async def test_000_feed(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    async with Running(store, clock, tmp_path, {"seed": HEAD + FEED_000}) as running:
        await store.store({**MAIL, "id": "6", "subject": "lunch"}, namespace="raw.email")
        await store.store(MAIL, namespace="raw.email")
        [signal] = await running.found("signals.email", 1)
    assert (signal.id, signal.data["content"]) == ("signal_7", "Urgent email from alice@example.com")
    assert (signal.data["source"], signal.data["priority"], signal.data["metadata"]["raw"]) == ("email", "normal", "7")


TRIGGER = """
async def run(ctx):
    await app.emit("new_email", EVENT)
    await ctx.sleep(1e9)
""".replace("EVENT", repr(MAIL))


@pytest.mark.parametrize(
    "snippets",
    [(FLOW_000,), (INGEST_001, FEED_001), (INGEST_002, FEED_002)],
    ids=["000 flow", "001 ingest and feed", "002 ingest and feed"],
)
async def test_from_a_trigger_to_a_signal(
    store: ContextStore, clock: ManualClock, tmp_path: Path, snippets: tuple[str, ...]
) -> None:
    await store.store({"subject": "the phoenix plan"}, namespace="note", context_id="old", text="urgent phoenix plan")
    text = HEAD + IMAGINED + "".join(snippets) + TRIGGER
    async with Running(store, clock, tmp_path, {"seed": text}) as running:
        [signal] = await running.found("signals.processed", 1)
        [raw] = await running.found("raw.email", 1)
        await running.health("seed", "ok")
    assert raw.data == MAIL
    assert signal.data["content"] == "Mail: URGENT: phoenix"
    if len(snippets) == 2:
        assert signal.id == "processed_7"
        assert signal.data["metadata"]["related"] == 1  # the note: search found it


async def test_001_slack(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    text = HEAD + 'IMPORTANT_USERS = {"boss"}\n' + SLACK_001
    async with Running(store, clock, tmp_path, {"seed": text}) as running:
        for user, said in (("eve", "hi"), ("boss", "hello"), ("eve", "help @urgent")):
            await store.store({"user": user, "text": said}, namespace="raw.slack")
        found = [context.data for context in await running.found("signals.processed", 2)]
    assert [one["content"] for one in found] == [
        "Urgent Slack message from boss: hello",
        "Urgent Slack message from eve: help @urgent",
    ]
    assert {(one["priority"], one["metadata"]["source"]) for one in found} == {("high", "slack")}


async def test_001_priority(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    file = tmp_path / "priority.py"
    file.write_text(PRIORITY_001)
    model = ScriptedModel()
    model.held = lambda _: True
    model.gate.clear()
    async with Stage(store, clock, model, priority=file, batch_size=1) as stage:
        await stage.signal("the first")
        await until(lambda: len(model.requests) == 1)
        async with Running(store, clock, tmp_path, {"seed": HEAD + FEED_000 + COPY_TO_CALENDAR}) as running:
            await store.store({"content": "a meeting"}, namespace="raw.meeting")
            await running.found("signals.other", 1)
            await store.store(MAIL, namespace="raw.email")
            await running.found("signals.email", 1)
        model.gate.set()
        await until(lambda: len(model.requests) == 3)
    assert ["Urgent email" in request.entries[0].text for request in model.requests] == [False, True, False]


COPY_TO_CALENDAR = """
@subscriber.on_context_update(namespaces=["raw.meeting"])
async def meeting(update):
    await context_store.store({**update.context.data, "source": "calendar"}, namespace="signals.other")
"""


async def test_001_worker(tmp_path: Path) -> None:
    file = tmp_path / "analysis.py"
    imagined = """
async def run_analysis(self, task):
    before = await self.load_state()
    rows = await self.call_tool("run_sql_query", query=task)
    return f"{rows} (before: {before.events[-1]['answer'] if before else 'nothing'})"

DataAnalysisWorker.run_analysis = run_analysis
"""
    file.write_text("from pepper_tui.api import StatefulWorker\n" + WORKER_001 + imagined)
    tools = tmp_path / "sql.py"
    one = (
        '\n\n@tool(effect=Effect.READ)\nasync def NAME(ctx: ToolContext, query: str) -> str:\n    """Look."""\n'
        '    return f"3 rows of {query}"\n'
    )
    named = ("run_sql_query", "generate_visualization", "calculate_statistics")
    tools.write_text(
        "from pepper_tui.api import Effect, ToolContext, tool\n" + "".join(one.replace("NAME", name) for name in named)
    )
    assert load_class(file).__name__ == "DataAnalysisWorker"
    with ModelServer(default={"text": "ok"}) as server:
        config = {
            "models": {"base_url": server.url, "api_key": ""},
            "worker": [{"name": "analyst", "file": str(file)}],
            "tool": [{"file": str(tools)}],
        }
        engine = await Engine.open(tmp_path / "home", Config.model_validate(config), ManualClock())
        await engine.start()
        answers = []
        for number in (1, 2):
            call = ToolCall(
                f"call_{number}", "delegate", {"task": f"sales {number}", "agent": "analyst"}, Effect.LOCAL,
                engine.store.clock.now(), "step:1",
            )  # fmt: skip
            await engine.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])

            async def ended(call: ToolCall = call) -> bool:
                found = await engine.store.get(call.id, namespace=Namespace.TOOL_CALL)
                return found is not None and not ToolCall.of(found).open

            await until(ended)
            result = await engine.store.get(call.id, namespace=Namespace.TOOL_RESULT)
            assert result is not None
            answers.append(str(result.data["content"]))
        await engine.close()
    assert "3 rows of sales 1 (before: nothing)" in answers[0]
    assert "3 rows of sales 2 (before: 3 rows of sales 1" in answers[1]


@pytest.mark.parametrize("snippet", [STATE_000, STATE_002], ids=["000", "002"])
async def test_a_workers_memory_is_loaded(
    store: ContextStore, clock: ManualClock, tmp_path: Path, snippet: str
) -> None:
    # 002 sketches the class first: here it is the api's
    loads = snippet[snippet.index("# Before acting") :] if "# Before acting" in snippet else snippet
    text = HEAD + (
        "class Me:\n    state = None\n\n"
        "async def run(ctx):\n    self = Me()\n"
        '    await context_store.store({"events": [{"a": 1}], "summary": "so far"}, namespace="memory-email-agent")\n'
        + textwrap.indent(loads, "    ")
        + '    await context_store.store(self.state, namespace="loaded", context_id="it")\n    await ctx.sleep(1e9)\n'
    )
    async with Running(store, clock, tmp_path, {"seed": text}) as running:
        assert running.loaded["seed"].problem == ""
        [loaded] = await running.found("loaded", 1)
        await running.health("seed", "ok")
    assert AgentState.of(loaded) == AgentState([{"a": 1}], "so far")


async def test_002_signal(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    text = HEAD + 'def agentic_system(data):\n    return {"sum": sum(data["n"])}\n' + SIGNAL_002
    async with Running(store, clock, tmp_path, {"seed": text}) as running:
        await asyncio.gather(
            store.store({"n": [1, 2]}, namespace="source1"), store.store({"n": [3, 4]}, namespace="source2")
        )
        found = [context.data["sum"] for context in await running.found("target", 2)]
    assert sorted(found) == [3, 7]
    assert await store.count(ContextFilter(namespaces=["signals.*"])) == 0  # a target of one's own is no signal
