"""The one place where the project's version is written; packaging, `--version` and `/version` read it from here."""

from __future__ import annotations

VERSION = "0.1.0"
