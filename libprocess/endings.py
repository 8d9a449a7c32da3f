"""How a program is told to end: by SIGTERM, by Ctrl-C, or with the terminal that it was started from."""

from __future__ import annotations

import signal


def ending_signals() -> tuple[signal.Signals, ...]:
    """What tells a program to end. Started by nohup it is to outlive its terminal, so SIGHUP stays ignored."""
    outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT, *(() if outlives else (signal.SIGHUP,)))


def end_as_interrupted() -> None:
    """Let each of them be a KeyboardInterrupt, as Ctrl-C is."""
    for number in ending_signals():
        signal.signal(number, signal.default_int_handler)
