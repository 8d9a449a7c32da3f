"""The v1 APIs of Mesos as the outside sees them: its names in JSON and protobuf, and what they mean inside.

A body is read into a tree (`media`), a tree into our types and messages (`faces`, `scheduler`, `executor`), and back.
Everything is declared once: the outside in `proto/*.proto`, the difference between it and our types in `faces`.
"""

from __future__ import annotations
