"""Dialogues: what the master does when mail comes, one class for each subject that it is spoken to about.

Every class is a part of the one Master actor (`master.master`), and holds the handlers of its subject. What several of
them do, such as telling a framework the state of a task, stands in the class whose subject that is; others build on it.
"""

from __future__ import annotations
