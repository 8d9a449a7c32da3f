"""Replaying: one actor of a recording, made again, and given what it was given then."""

from __future__ import annotations
