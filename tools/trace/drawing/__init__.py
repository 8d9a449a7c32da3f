"""Drawings of a story: what each format needs is hops, and the actors between which they went."""

from __future__ import annotations
