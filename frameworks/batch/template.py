"""What the user wants done with each input: a command with a place for it."""

from __future__ import annotations

import shlex

from frameworks.carrier.protocol import Job
from libprocess.errors import OperatorError
from mesos.types import CommandInfo

PLACE = "{}"


class Template:
    """A command in which `{}` stands for the input; without one, the input comes last.

    A single word is a line for the shell, and the input is quoted for it. Several words are a program and its
    arguments, which no shell looks at.
    """

    def __init__(self, words: tuple[str, ...], directory: str) -> None:
        if not words or not words[0].strip():
            raise OperatorError("expected a command after the flags, found none; such as: mesos-batch … 'wc -w {}'")
        self._words = words if any(PLACE in word for word in words) else self._with_place(words)
        self._directory = directory

    @staticmethod
    def _with_place(words: tuple[str, ...]) -> tuple[str, ...]:
        return (f"{words[0]} {PLACE}",) if len(words) == 1 else (*words, PLACE)

    def job(self, input: str) -> Job:
        """What to run for this input."""
        if len(self._words) == 1:
            return Job(CommandInfo(self._words[0].replace(PLACE, shlex.quote(input))), self._directory)
        words = tuple(word.replace(PLACE, input) for word in self._words)
        return Job(CommandInfo(words[0], shell=False, arguments=words), self._directory)
