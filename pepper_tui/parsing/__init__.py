"""Parsers of what comes from outside, in one child process with bounds on their work."""

from pepper_tui.parsing.process import NotRead, ParserProcess

__all__ = ["NotRead", "ParserProcess"]
