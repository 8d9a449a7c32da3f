"""Isolators: each keeps containers apart in one way, and lives in a file of its own.

`agent.isolators.isolator` says what an isolator is, `agent.isolators.choice` which ones an agent uses.
"""

from __future__ import annotations
