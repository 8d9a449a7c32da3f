"""How long a peer may be silent before it counts as gone, set by `LIBPROCESS_SILENCE` for a whole program.

A network that loses packets tells nobody: only silence shows that a link leads nowhere. Heartbeats break it where there
is no mail; a peer that stands still for so long is taken for one that is gone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from libprocess.errors import OperatorError
from libprocess.units import parse_duration

VARIABLE = "LIBPROCESS_SILENCE"
SECONDS = 15.0
SECONDS_MIN = 0.1


def silence_seconds(environment: Mapping[str, str] = os.environ) -> float:
    """What the variable says, such as `5secs`; OperatorError if that is no duration, or too short for any network."""
    text = environment.get(VARIABLE, "")
    try:
        seconds = parse_duration(text) if text else SECONDS
    except ValueError as error:
        raise OperatorError(f"{VARIABLE}: {error}") from None
    if seconds < SECONDS_MIN:
        raise OperatorError(f"{VARIABLE}: expected 100ms at least, found {text!r}")
    return seconds
