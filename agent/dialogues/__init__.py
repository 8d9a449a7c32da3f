"""The agent's actor, by dialogue: each class talks with somebody about something, and stands on those it needs."""

from __future__ import annotations
