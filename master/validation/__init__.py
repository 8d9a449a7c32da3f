"""Validation: what the master does not accept from frameworks and agents.

Every check returns one line that says what was found and what was expected, or None when all is well.
"""

from __future__ import annotations

from master.validation.agent import check_agent
from master.validation.framework import check_framework, check_framework_revision, check_framework_update
from master.validation.group import check_group
from master.validation.offers import check_offers, check_refuse_seconds
from master.validation.task import check_task

__all__ = [
    "check_agent",
    "check_framework",
    "check_framework_revision",
    "check_framework_update",
    "check_group",
    "check_offers",
    "check_refuse_seconds",
    "check_task",
]
