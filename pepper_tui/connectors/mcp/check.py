"""The doctor's check of the MCP servers: a running engine's report; without one, each server is started or reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

from pepper_tui.config import McpServer
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.mcp.greeting import greet

LONGEST: Final = 20.0
"""Seconds for a server to start: some are downloaded first."""


async def check(settings: Mapping[str, McpServer], patient: Patient) -> AsyncIterator[Finding]:
    names = [name for name in settings if _part(name) not in patient.health]
    for finding in await asyncio.gather(*(_greeted(patient, name, settings[name]) for name in names)):
        yield finding


def _part(name: str) -> str:
    return f"mcp.{name}"


async def _greeted(patient: Patient, name: str, server: McpServer) -> Finding:
    well, words, remedy = await greet(name, server, patient.secrets, min(LONGEST, server.start_timeout))
    return Finding(_part(name), "ok" if well else "trouble", words, remedy)
