"""Model access: clients behind one small protocol, the budget, and the offline model."""

from pepper_tui.llm.budget import Budget, Spending
from pepper_tui.llm.client import ModelClient
from pepper_tui.llm.endpoint.openai_client import OpenAIClient
from pepper_tui.llm.models import Models, build_models
from pepper_tui.llm.offline.offline_model import OFFLINE_NOTICE, OfflineModel

__all__ = [
    "OFFLINE_NOTICE",
    "Budget",
    "ModelClient",
    "Models",
    "OfflineModel",
    "OpenAIClient",
    "Spending",
    "build_models",
]
