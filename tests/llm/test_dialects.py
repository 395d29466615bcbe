"""How servers differ in the OpenAI protocol, each shape as a vendor documents it or as users met it.

The real SDK reads each of them from a real server; what comes out is one response in one form.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.llm import OpenAIClient
from pepper_tui.model import Completed, Effect, Json, ModelError, ModelRequest, TextDelta, ToolSpec
from tests.llm.server import ModelServer

SAY = [{"role": "user", "content": "How is the weather?"}]
SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "additionalProperties": {"type": "string", "default": "x"}},
    "additionalProperties": False,
}
TOOLS = [
    ToolSpec("get_weather", "The weather.", SCHEMA, Effect.READ),
    ToolSpec("wait", "Nothing.", {"type": "object", "properties": {}, "additionalProperties": False}, Effect.READ),
]
REQUEST = ModelRequest("scheduler", SAY, TOOLS, now=5.0, max_tokens=200)


def client_of(server: ModelServer) -> OpenAIClient:
    return OpenAIClient(ManualClock(), model="m", base_url=server.url, first_byte_timeout=5.0, idle_timeout=5.0)


async def answer(*script: dict[str, Any], request: ModelRequest = REQUEST) -> tuple[str, Completed, list[Json]]:
    """What was streamed as text, the response, and the bodies of the requests."""
    with ModelServer([*script]) as server:
        client = client_of(server)
        try:
            events = [event async for event in client.stream(request)]
        finally:
            await client.close()
    assert isinstance(events[-1], Completed)
    return "".join(e.text for e in events if isinstance(e, TextDelta)), events[-1], server.requests


async def failure(*script: dict[str, Any]) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await answer(*script)
    return caught.value


def chunk(delta: Json | None = None, finish: str | None = None, **more: Any) -> Json:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


def piece(index: int | None = None, **more: Any) -> Json:
    """A delta with one part of a tool call."""
    function = {key: more.pop(key) for key in ("name", "arguments") if key in more}
    part = {**more, **({"function": function} if function else {})}
    return {"tool_calls": [part if index is None else {"index": index, **part}]}


async def calls_of(*deltas: Json, finish: str = "tool_calls") -> list[tuple[str, Json]]:
    events = [*(chunk(delta) for delta in deltas), chunk({}, finish)]
    _, done, _ = await answer({"events": events})
    assert len({call.id for call in done.calls}) == len(done.calls)
    return [(call.name, call.arguments) for call in done.calls]


PARIS, ROME = ("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})


# ------------------------------------------------------------------------------------------------------ tool calls


async def test_google_omits_the_index_and_sends_each_call_whole_in_a_chunk_of_its_own() -> None:
    """https://github.com/noho/dayu-agent/issues/82, https://github.com/openai/openai-python/issues/2806"""
    found = await calls_of(
        piece(id="eaifhb3y", type="function", name="get_weather", arguments='{"city":"Paris"}'),
        piece(id="mw4fnecu", type="function", name="get_weather", arguments='{"city":"Rome"}'),
        finish="stop",
    )
    assert found == [PARIS, ROME]


async def test_google_may_split_arguments_without_an_index_and_send_parts_that_only_note_something() -> None:
    """https://github.com/open-webui/computer/issues/224: indexless pieces, "stop", a signature alone in a delta"""
    signature = {"extra_content": {"google": {"thought_signature": "EjQKMg"}}}
    found = await calls_of(
        piece(**signature),
        piece(id="function-call-1", type="function", name="get_weather", arguments='{"city":', **signature),
        piece(arguments='"Paris"}'),
        piece(**signature),
        finish="stop",
    )
    assert found == [PARIS]


async def test_parallel_calls_all_under_index_0_without_an_id() -> None:
    """https://github.com/BerriAI/litellm/pull/37792 (Ollama), https://github.com/su-kaka/gcli2api/pull/406 (Google)"""
    found = await calls_of(
        piece(0, id="", name="get_weather", arguments='{"city":"Paris"}'),
        piece(0, id="", name="get_weather", arguments='{"city":"Rome"}'),
        piece(0, id="", name="wait", arguments="{}"),
    )
    assert found == [PARIS, ROME, ("wait", {})]


async def test_calls_one_after_the_other_under_index_0_told_apart_by_their_first_piece() -> None:
    """https://github.com/InternLM/lmdeploy/issues/3412: vLLM's and SGLang's pieces"""
    for later in ("", "0"):  # the id of what continues: vLLM sends none, SGLang the same
        found = await calls_of(
            piece(0, id="0", name="get_weather", arguments="", type="function"),
            piece(0, id=later, arguments='{"city":', type="function"),
            piece(0, id=later, arguments='"Paris"}', type="function"),
            piece(0, id="1", name="get_weather", arguments="", type="function"),
            piece(0, id=later and "1", arguments='{"city":"Rome"}', type="function"),
        )
        assert found == [PARIS, ROME]


async def test_an_id_that_changes_within_a_call_makes_no_second_one() -> None:
    """https://github.com/poolsideai/pool/issues/9, and a new id and the name again in each piece:
    https://github.com/vllm-project/vllm/pull/23522"""
    assert await calls_of(
        piece(0, id="call_a", name="get_weather", arguments=""),
        piece(0, id="call_b", arguments='{"city":'),
        piece(0, id="call_b", arguments='"Paris"}'),
    ) == [PARIS]
    assert await calls_of(
        *(piece(0, id=f"call_{n}", name="get_weather", arguments=a) for n, a in enumerate(('{"ci', 'ty":"Pa', 'ris"}')))
    ) == [PARIS]


async def test_arguments_as_an_object_as_nothing_and_as_null() -> None:
    """https://github.com/BerriAI/litellm/pull/37792: ``arguments`` as an object while streaming"""
    assert await calls_of(piece(0, id="a", name="get_weather", arguments={"city": "Paris"})) == [PARIS]
    assert await calls_of(piece(0, id="a", name="wait", arguments="")) == [("wait", {})]
    assert await calls_of(piece(0, id="a", name="wait", arguments=None)) == [("wait", {})]
    assert await calls_of(piece(0, id="a", name="wait")) == [("wait", {})]


async def test_interleaved_pieces_of_parallel_calls() -> None:
    """https://platform.openai.com/docs/guides/function-calling: ``index`` says which call a piece belongs to"""
    found = await calls_of(
        {"content": None, "tool_calls": [piece(0, id="a", name="get_weather", arguments="")["tool_calls"][0]]},
        {"tool_calls": [piece(i, arguments='{"city":')["tool_calls"][0] for i in (0,)]},
        piece(1, id="b", name="get_weather", arguments='{"city":'),
        piece(0, arguments='"Paris"}'),
        piece(1, arguments='"Rome"}'),
    )
    assert found == [PARIS, ROME]


@pytest.mark.parametrize("finish", ["stop", "tool_calls", "function_call", "end_turn", "STOP"])
async def test_calls_count_whatever_the_finish_reason_is_called(finish: str) -> None:
    """https://github.com/ollama/ollama/pull/7963 (stop), https://github.com/BerriAI/litellm/issues/12481 (end_turn)"""
    assert await calls_of(piece(0, id="a", name="wait", arguments="{}"), finish=finish) == [("wait", {})]


async def test_tool_calls_as_the_finish_reason_of_plain_text() -> None:
    text, done, _ = await answer({"events": [chunk({"content": "Sunny."}), chunk({"tool_calls": None}, "tool_calls")]})
    assert (text, done.text, done.calls) == ("Sunny.", "Sunny.", ())


@pytest.mark.parametrize(
    ("finish", "kind", "retryable"),
    [("content_filter", "bad_response", False), ("error", "server", True), ("malformed_function_call", "server", True)],
)
async def test_a_finish_reason_that_means_no_answer(finish: str, kind: str, retryable: bool) -> None:
    """https://openrouter.ai/docs/api-reference/streaming: ``error``; content_filter as OpenAI and Azure document it"""
    error = await failure({"events": [chunk({"content": "Sun"}), chunk({}, finish)]})
    assert (error.kind, error.retryable) == (kind, retryable)


# ------------------------------------------------------------------------------------------------- chunks and text


async def test_chunks_without_choices_or_with_an_empty_delta_and_comments_are_passed_over() -> None:
    """https://github.com/AbanteAI/archive-old-cli-mentat/issues/429 (Azure's first chunk),
    https://openrouter.ai/docs/api-reference/streaming and DeepSeek (comments that keep the connection)"""
    text, done, _ = await answer(
        {
            "events": [
                ": OPENROUTER PROCESSING",
                ": keep-alive",
                {"id": "", "choices": [], "created": 0, "model": "", "object": "", "prompt_filter_results": []},
                {"id": "", "choices": None, "created": 0, "model": "", "object": "chat.completion.chunk"},
                chunk(None),
                chunk({"content": None, "role": "assistant"}),
                chunk({"content": "Sunny."}),
                ": OPENROUTER PROCESSING",
                chunk(None, "stop"),
            ]
        }
    )
    assert text == done.text == "Sunny."


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
async def test_reasoning_in_a_field_of_its_own_is_counted_and_never_shown(field: str) -> None:
    """https://github.com/BerriAI/litellm/issues/20246 (vLLM: ``reasoning``), DeepSeek: ``reasoning_content``"""
    thought = [chunk({field: "I wonder. " * 10}) for _ in range(4)]
    text, done, _ = await answer({"events": [*thought, chunk({"content": "Sunny."}), chunk({}, "stop")]})
    assert text == done.text == "Sunny."
    assert done.usage.completion_tokens > 90
    error = await failure({"events": [*thought, chunk({}, "stop")]})
    assert error.kind == "empty"
    assert "thought" in error.words


@pytest.mark.parametrize("tag", ["think", "thinking", "thought"])
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_reasoning_between_tags_is_never_shown(tag: str, size: int) -> None:
    """https://github.com/deepseek-ai/DeepSeek-R1/issues/342 and LM Studio; Google's compatible endpoint says
    ``<thought>``"""
    whole = f"\n<{tag}>\nThey want < the weather.\n</{tag}>\n\nIt is <b>sunny</b>, as <{tag}> says."
    deltas = [chunk({"content": whole[at : at + size]}) for at in range(0, len(whole), size)]
    text, done, _ = await answer({"events": [*deltas, chunk({}, "stop")]})
    assert text == done.text == f"It is <b>sunny</b>, as <{tag}> says."


@pytest.mark.parametrize("whole", ["<", "<thin", "  <tomato> soup", "a <think> b </think> c", "</think> is a tag"])
async def test_text_that_only_looks_like_a_thought_stays(whole: str) -> None:
    deltas = [chunk({"content": each}) for each in whole]
    text, done, _ = await answer({"events": [*deltas, chunk({}, "stop")]})
    assert text == done.text == whole


async def test_a_thought_whose_opening_the_template_swallowed_is_no_part_of_the_answer() -> None:
    """https://github.com/ggml-org/llama.cpp/issues/11325: the template ends with ``<think>``"""
    _, done, _ = await answer({"text": "They ask.\nHm.\n</think>\n\nSunny."})
    assert done.text == "Sunny."


async def test_a_refusal_is_the_answer() -> None:
    """https://platform.openai.com/docs/guides/structured-outputs: ``refusal`` in place of ``content``"""
    text, done, _ = await answer({"events": [chunk({"refusal": "I can't "}), chunk({"refusal": "help."}, "stop")]})
    assert text == done.text == "I can't help."


# ------------------------------------------------------------------------------------------------------------ usage


def usage(prompt: int, completion: int, **more: Any) -> Json:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        # at the end, in a chunk without choices: OpenAI with include_usage
        ([chunk({"content": "Hi"}, "stop"), {**chunk(), "choices": [], "usage": usage(40, 3)}], (40, 0, 3)),
        # in every chunk, growing: vLLM with continuous_usage_stats
        (
            [chunk({"content": "H"}, usage=usage(40, 1)), chunk({"content": "i"}, "stop", usage=usage(40, 2))],
            (40, 0, 2),
        ),
        # null but for one
        ([chunk({"content": "Hi"}, usage=usage(40, 2)), chunk({}, "stop", usage=None)], (40, 0, 2)),
        # DeepSeek names the cached part so: https://docs.stigg.io/documentation/ai-agents/llm-wrappers/providers/deepseek
        ([chunk({"content": "Hi"}, "stop", usage=usage(40, 2, prompt_cache_hit_tokens=32))], (40, 32, 2)),
        # Google leaves what was thought out: https://github.com/router-for-me/CLIProxyAPI/issues/5733
        ([chunk({"content": "Hi"}, "stop", usage={**usage(21, 0), "total_tokens": 81})], (21, 0, 60)),
    ],
)
async def test_usage_wherever_it_stands(events: list[Json], counts: tuple[int, int, int]) -> None:
    _, done, _ = await answer({"events": events})
    told = done.usage
    assert (told.prompt_tokens, told.cached_tokens, told.completion_tokens) == counts


# ---------------------------------------------------------------------------------------- errors, in each one's form


@pytest.mark.parametrize(
    ("event", "kind", "retryable"),
    [
        ({"error": {"message": "overloaded", "code": 502}}, "server", True),
        ({"error": {"message": "slow down", "code": 429}}, "rate_limited", True),
        ({"error": {"message": "bad key", "code": "401"}}, "auth", False),
        ({"error": {"message": "quota exceeded"}}, "server", True),
        ({"error": "llama runner process has terminated"}, "server", True),
        ({"object": "error", "message": "engine is dead", "type": "InternalServerError", "code": 500}, "server", True),
    ],
)
async def test_an_error_within_a_stream_that_began_with_200(event: Json, kind: str, retryable: bool) -> None:
    """https://openrouter.ai/docs/api-reference/streaming, https://github.com/apache/rocketmq-dashboard/issues/2178"""
    error = await failure({"events": [chunk({"content": "It is"}), event]})
    assert (error.kind, error.retryable) == (kind, retryable), error.words
    assert error.usage is not None


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        # Google: a list of one, with the wait in the body (https://github.com/jenslys/opencode-gemini-auth/issues/25,
        # https://github.com/voideditor/void/issues/557)
        (
            429,
            [
                {
                    "error": {
                        "code": 429,
                        "message": "Exhausted.",
                        "details": [{"@type": "RetryInfo", "retryDelay": "27s"}],
                    }
                }
            ],
            "rate_limited",
            "27 seconds",
        ),
        (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], "auth", "key"),
        # https://github.com/ollama/ollama/issues/14795
        (400, {"error": {"message": "registry.ollama.ai/library/gemma:2b does not support tools"}}, "setup", "tools"),
        # https://github.com/defilantech/LLMKube/issues/126 (llama.cpp)
        (500, {"error": {"code": 500, "message": "tools param requires --jinja flag"}}, "setup", "--jinja"),
        (404, {"error": {"message": 'model "qwen3" not found, try pulling it first'}}, "setup", "pulling"),
        (402, {"error": {"message": "Insufficient credits", "code": 402}}, "rate_limited", "credit"),
        (
            400,
            {"error": {"message": "This model's maximum context length is 4096 tokens."}},
            "too_long",
            "4096 tokens",
        ),
        (
            503,
            {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
            "loading",
            "Loading model",
        ),
    ],
)
async def test_a_refused_request_is_told_with_the_way_out(status: int, body: Any, kind: str, words: str) -> None:
    error = await failure({"status": status, "error": body})
    assert error.kind == kind, error.words
    assert words in error.words
    assert error.retryable == (status in (429, 503))


# --------------------------------------------------------------------------------------- what a server does not take


MISTRAL = {
    "object": "error",
    "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"]}]},
    "type": "invalid_request_error",
}


async def test_what_is_refused_is_left_out_once_and_for_all() -> None:
    """https://github.com/openai/openai-agents-python/issues/442 (Mistral, 422),
    https://github.com/ITSpecialist111/ai_automation_suggester/issues/38 (max_tokens)"""
    limit = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    script = [
        {"refuse": {"holds": "stream_options", "status": 422, "error": MISTRAL}, "text": "a"},
        {"refuse": {"holds": '"max_tokens"', "status": 400, "error": {"error": {"message": limit}}}, "text": "b"},
        {"text": "c"},
    ]
    with ModelServer(script) as server:
        client = client_of(server)
        for expected in "abc":
            assert [e.text async for e in client.stream(REQUEST) if isinstance(e, Completed)] == [expected]
        await client.close()
    assert len(server.requests) == 5
    assert "stream_options" not in server.requests[-1]
    assert server.requests[-1]["max_completion_tokens"] == 200
    assert "max_tokens" not in server.requests[-1]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Thinking mode does not support this tool_choice"),  # deepseek-ai/DeepSeek-V3#1376
        (400, "Thinking may not be enabled when tool_choice forces tool use."),  # anthropic's page on thinking
        (404, "No endpoints found that support the provided 'tool_choice' value."),  # OpenRouter
    ],
)
async def test_a_model_that_can_not_be_held_to_a_tool_is_only_asked_for_it(status: int, words: str) -> None:
    held = replace(REQUEST, must_call=True)
    script = [
        {"refuse": {"holds": "tool_choice", "status": status, "error": {"error": {"message": words}}}, "text": "a"},
        {"text": "b"},
    ]
    with ModelServer(script) as server:
        client = client_of(server)
        for expected in "ab":
            assert [e.text async for e in client.stream(held) if isinstance(e, Completed)] == [expected]
        await client.close()
    assert [body.get("tool_choice") for body in server.requests] == ["required", None, None]


async def test_only_what_must_be_a_call_is_held_to_one() -> None:
    with ModelServer([{"text": "a"}]) as server:
        client = client_of(server)
        [_] = [e async for e in client.stream(REQUEST) if isinstance(e, Completed)]
        await client.close()
    assert "tool_choice" not in server.requests[0]


async def test_keywords_of_a_schema_that_google_does_not_know_are_left_out_but_no_property() -> None:
    """https://github.com/karthink/gptel/issues/806 and https://github.com/browser-use/browser-use/issues/7"""
    unknown = (
        'Invalid JSON payload received. Unknown name "additionalProperties" at '
        "'tools[0].function_declarations[0].parameters': Cannot find field."
    )
    empty = "* tools[0].function_declarations[1].parameters.properties: should be non-empty for OBJECT type"
    script = [
        {
            "refuse": {
                "holds": '"additionalProperties": false',
                "status": 400,
                "error": [{"error": {"message": unknown}}],
            },
            "text": "a",
        },
        {"refuse": {"holds": '"properties": {}', "status": 400, "error": [{"error": {"message": empty}}]}, "text": "b"},
    ]
    with ModelServer(script) as server:
        client = client_of(server)
        for expected in "ab":
            assert [e.text async for e in client.stream(REQUEST) if isinstance(e, Completed)] == [expected]
        await client.close()
    assert len(server.requests) == 4
    weather, wait = (tool["function"] for tool in server.requests[-1]["tools"])
    assert weather["parameters"] == {"type": "object", "properties": SCHEMA["properties"]}
    assert "parameters" not in wait


async def test_a_refusal_that_teaches_nothing_is_not_asked_again() -> None:
    error = await failure({"status": 400, "error": {"error": {"message": "max_tokens is too large: 200"}}})
    assert error.kind == "bad_response"
    assert "max_tokens is too large" in error.words


async def test_anthropics_endpoint_takes_what_is_sent() -> None:
    """https://platform.claude.com/docs/en/api/openai-sdk: model, messages, tools, stream, stream_options and
    max_tokens are supported; the answer has one choice, whose calls come in pieces"""
    events = [
        chunk({"role": "assistant", "content": "Looking."}),
        chunk(piece(0, id="toolu_01", type="function", name="get_weather", arguments="")),
        chunk(piece(0, arguments='{"city": ')),
        chunk(piece(0, arguments='"Paris"}')),
        chunk({}, "tool_calls"),
        {**chunk(), "choices": [], "usage": usage(400, 60)},
    ]
    text, done, [body] = await answer({"events": events})
    assert text == "Looking."
    assert [(call.id, call.name, call.arguments) for call in done.calls] == [("toolu_01", *PARIS)]
    assert body.keys() == {"model", "messages", "stream", "max_tokens", "stream_options", "tools"}
    assert json.loads(json.dumps(body["tools"]))[0]["function"].keys() == {"name", "description", "parameters"}
