"""A cluster that everything is done to, one fault after the other, and what must be true of it after each."""

from __future__ import annotations
