"""A cluster that is to live long: tasks without end, any process killed at any moment, and a look at what is left."""

from __future__ import annotations
