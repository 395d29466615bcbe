"""The config sections about models: which one each role uses, how, and what a day may cost."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pepper_tui.config.base import Seconds, Section, names_its_secrets
from pepper_tui.config.secret.in_clear import secret_in_url


def _without_a_secret(url: str) -> str:
    if url and (held := secret_in_url(url)):
        raise ValueError(f'must not contain {held}, as it is shown; write api_key = "secret:NAME" instead')
    return url


BaseUrl = Annotated[str, AfterValidator(_without_a_secret)]
"""The address of a model server, without its key."""


Effort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh"]


class ModelOptions(Section):
    """How a model is called. A role or a named model inherits the values of ``[models]`` that it leaves out.

    Headers and ``extra_body`` of ``[models]`` are sent to its own ``base_url`` only.
    """

    max_tokens: Annotated[int, Field(ge=16)] | None = None  # in one response, thinking included
    idle_timeout: Seconds | None = None  # without any data; None: 120
    first_byte_timeout: Seconds | None = None  # None: idle_timeout, or 600 for a local server that may load a model
    reasoning_effort: Effort = ""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    headers: dict[str, str] = {}  # values may end in env:NAME or secret:NAME
    extra_body: dict[str, Any] = {}  # additional keys of the request, as documented by the provider

    @model_validator(mode="after")
    def _says_what_is_its_own(self) -> Self:
        names_its_secrets("headers", self.headers)
        if taken := sorted(self.extra_body.keys() & {"messages", "model", "tools", "stream", "tool_choice", "n"}):
            raise ValueError(f"extra_body must not set {', '.join(taken)}: only Pepper sets that")
        return self


class RoleModel(ModelOptions):
    """One role's model. Empty fields fall back to ``[models]``, but its key is never sent to another ``base_url``."""

    name: str = ""
    base_url: BaseUrl = ""
    api_key: str = ""
    fallback: str = ""
    retries: Annotated[int, Field(ge=0, le=10)] | None = None
    retry_base: Seconds | None = None
    retry_cap: Seconds | None = None


class NamedModel(ModelOptions):
    """A model that a ``fallback`` can refer to."""

    name: str
    base_url: BaseUrl = ""
    api_key: str = ""


class EmbeddingModel(Section):
    """An endpoint for search by meaning; without a name, this machine's offline embedder is used."""

    name: str = ""
    base_url: BaseUrl = ""  # empty: that of [models], with its key
    api_key: str = ""
    dimensions: Annotated[int, Field(ge=0, le=8192)] = 0  # dimensions to request; 0: the model's own
    batch: Annotated[int, Field(ge=1, le=2048)] = 64  # texts per request
    floor: Annotated[float, Field(ge=-1, le=1)] = 0.2  # minimum cosine similarity of a result; differs by model


MODEL_ROLES: Final = ("scheduler", "worker", "triage", "summary")
"""The tasks of a model; each may have its own."""


class Price(Section):
    """Price of a model, per million tokens, in the currency of the budget."""

    input: Annotated[float, Field(ge=0)]
    cached: Annotated[float, Field(ge=0)] = 0.0
    output: Annotated[float, Field(ge=0)]


class Models(ModelOptions):
    """The models. With neither ``base_url`` nor a value for ``api_key``, the offline model answers."""

    name: str = "gpt-5-mini"
    base_url: BaseUrl = ""
    api_key: str = "env:OPENAI_API_KEY"
    max_tokens: Annotated[int, Field(ge=16)] = 8192
    scheduler: RoleModel = RoleModel()
    worker: RoleModel = RoleModel()
    triage: RoleModel = RoleModel()
    summary: RoleModel = RoleModel()
    embedding: EmbeddingModel = EmbeddingModel()
    # answers when the model is unavailable: a name in `named`, a role, or another model at the same endpoint
    fallback: str = ""
    named: dict[str, NamedModel] = {}
    retries: Annotated[int, Field(ge=0, le=10)] | None = None  # None: 3, or 1 if there is a fallback
    retry_base: Seconds = 1.0
    retry_cap: Seconds = 60.0
    prices: dict[str, Price] = {}


class Budget(Section):
    daily: Annotated[float, Field(ge=0)] = 2.0
    chat_reserve: Annotated[float, Field(ge=0)] = 0.5
    # for models without a price: tokens per day, so that a free local model is bounded too
    daily_tokens: Annotated[int, Field(ge=0)] = 2_000_000
