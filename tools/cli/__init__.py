"""The operator's command line: `python -m tools.cli COMMAND`, one file per command."""

from __future__ import annotations
