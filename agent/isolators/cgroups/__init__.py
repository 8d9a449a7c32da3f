"""Isolators that use the kernel's control groups, of version 1 and 2 alike."""

from __future__ import annotations
