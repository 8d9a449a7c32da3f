"""Benchmarks: each figure beside its reference, measured in the same run."""

from __future__ import annotations
