"""Our answers beside those that were captured. Each difference that is meant has its reason, in an allowance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from libprocess import Runtime
from libprocess.http import HttpRequest, HttpResponse
from libprocess.simulation import World
from tests.captures import differences

Answer: TypeAlias = dict[str, Any]
Allowance: TypeAlias = tuple[str, str, str]
"""Where (in the request's line), which difference, and why; the first two are patterns."""


def name(answer: Answer) -> str:
    """A request in one line."""
    return f"{answer['method']} {answer['path']} {answer.get('body', '')[:60]} "


@dataclass(frozen=True)
class Comparison:
    """A node of ours in a situation like the one where the answers were taken."""

    world: World
    node: Runtime
    root: str
    """The actor that is asked."""
    allowed: Sequence[Allowance]

    def differences(self, answer: Answer) -> list[str]:
        """All differences between our answer and the one that was captured."""
        ours = self._ask(answer)
        theirs = (answer["status"], answer.get("content_type", ""))
        if (ours.status, ours.content_type) != theirs:
            return [f"status {ours.status}, {ours.content_type}: expected {theirs}"]
        headers = dict(ours.headers)
        if answer.get("allow", "") != headers.get("Allow", ""):
            return [f"header Allow {headers.get('Allow')}"]
        if "shape" in answer:
            return differences(msgspec.json.decode(ours.body), answer["shape"])
        return [] if ours.body.decode() == answer.get("text", "") else [f"text {ours.body.decode()}"]

    def unexplained(self, answer: Answer) -> list[str]:
        """Those differences that nothing allows."""
        return [each for each in self.differences(answer) if self._allowance(answer, each) is None]

    def unneeded(self, answers: Sequence[Answer]) -> list[Allowance]:
        """The allowances that no difference needs."""
        used = {self._allowance(answer, each) for answer in answers for each in self.differences(answer)}
        return [each for each in self.allowed if each not in used]

    def _ask(self, answer: Answer) -> HttpResponse:
        path, _, query = answer["path"].partition("?")
        headers = tuple((key.lower(), value) for key, value in answer.get("headers", {}).items())
        request = HttpRequest(answer["method"], path, tuple(parse_qsl(query)), headers, answer.get("body", "").encode())
        answers: list[HttpResponse] = []
        self.node.routes.root = self.root
        self.node.routes.request(request, answers.append)
        self.world.settle()
        return answers[0]

    def _allowance(self, answer: Answer, difference: str) -> Allowance | None:
        """The first that covers a difference."""
        for allowance in self.allowed:
            where, what, _ = allowance
            if re.search(where, name(answer)) and re.fullmatch(what, difference, re.DOTALL):
                return allowance
        return None
