"""Programs on clients that others wrote, unmodified and from PyPI: the judges of the HTTP APIs."""

from __future__ import annotations
