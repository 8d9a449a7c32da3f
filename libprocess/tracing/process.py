"""The trace actor: what tools speak to on a node."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from libprocess.pid import PID
from libprocess.ports import Trace
from libprocess.process import ExitedMessage, Process
from libprocess.recording import BoundedFile, Recorder, record_inputs
from libprocess.tracing.breaking import Breaker
from libprocess.tracing.fan import Fan
from libprocess.tracing.flight import CrashRecorder
from libprocess.tracing.messages import (
    AskInterferencesMessage,
    CutLinkMessage,
    DumpFlightMessage,
    EndRecordingMessage,
    HealLinksMessage,
    InterfereMessage,
    InterferencesMessage,
    ReadRecordingMessage,
    RecordingMessage,
    RecordingPieceMessage,
    RecordNodeMessage,
    ReleaseMailMessage,
    TapMessage,
    TapReadMessage,
    TraceDeniedMessage,
    UntapMessage,
)
from libprocess.tracing.options import VARIABLE, Tracing
from libprocess.tracing.taps import Tap

if TYPE_CHECKING:
    from libprocess.runtime import Runtime

TAPS_MAX = 8
RECORDING_BYTES_MAX = 1 << 30
RECORDING_BYTES = 256 << 20
"""Of one that was not begun by a tool."""
PIECE_BYTES = 64 * 1024

NO_DIRECTORY = f"this node has no directory for recordings; start it with {VARIABLE}=to=DIRECTORY"
NO_FLIGHT = f"this node has no flight recorder; start it with {VARIABLE}=to=DIRECTORY"
NOT_BREAKABLE = f"this node does not let itself be broken; start it with {VARIABLE}=break, in a cluster for tests"


class TraceProcess(Process):
    """Serves taps, keeps recordings, and breaks what it is told to, as far as `Tracing` allows.

    What the program itself traces goes on.
    """

    def __init__(self, tracing: Tracing, trace: Trace | None = None) -> None:
        self._tracing = tracing
        self._traces: list[Trace] = [trace] if trace else []
        self._taps: dict[PID, Tap] = {}
        self._recorder: Recorder | None = None
        self._recording_path: Path | None = None
        self._told: set[str] = set()  # the files that may be read
        self._serial = 0
        self.flight: CrashRecorder | None = None

    def begin(self, runtime: Runtime) -> None:
        """Trace what is to be traced from the beginning, before there is any actor. OSError if it cannot be written."""
        tracing = self._tracing
        if tracing.directory is not None and tracing.is_recorded:
            self._open_recording(runtime, tracing.directory, RECORDING_BYTES, inputs=True)
        elif tracing.flight_directory is not None and tracing.flight_seconds:
            self.flight = CrashRecorder(runtime, tracing.flight_seconds, tracing.flight_directory)
            self._traces.append(self.flight)
        self._show(runtime)

    def initialize(self) -> None:
        self._breaker = Breaker(self._runtime)

    def finalize(self) -> None:
        for tap in self._taps.values():
            tap.close()
        if self.flight is not None:
            self.flight.close()

    def close(self) -> None:
        """The node is closed: the recording ends, after the last words of all actors."""
        if self._recorder is not None:
            self._end_recording(self._recorder)

    def _show(self, runtime: Runtime | None = None) -> None:
        """Have the runtime tell all traces there are now."""
        traces = [*self._traces, *self._taps.values(), *([self._recorder] if self._recorder else [])]
        (runtime or self._runtime).trace = Fan(traces) if len(traces) > 1 else next(iter(traces), None)

    # Taps.

    def tap(self, message: TapMessage) -> None:
        if not self._tracing.may_watch:
            self.reply(TraceDeniedMessage(f"this node does not let itself be watched: {VARIABLE} says off"))
        elif len(self._taps) >= TAPS_MAX and self.sender not in self._taps:
            self.reply(TraceDeniedMessage(f"{TAPS_MAX} tools tap this node already; end one of them"))
        else:
            self._remove(self.sender)
            self.link(self.sender)
            self._taps[self.sender] = Tap(self._runtime, self.sender, message)
            self._show()

    def tap_read(self, message: TapReadMessage) -> None:
        tap = self._taps.get(self.sender)
        if tap is not None:
            tap.read()

    def untap(self, message: UntapMessage) -> None:
        self._remove(self.sender)

    def exited(self, message: ExitedMessage) -> None:
        self._remove(message.pid)

    def _remove(self, tool: PID) -> None:
        tap = self._taps.pop(tool, None)
        if tap is not None:
            tap.close()
            self.unlink(tool)
            self._show()

    # Recordings.

    def record_node(self, message: RecordNodeMessage) -> None:
        if self._tracing.directory is None:
            self.reply(TraceDeniedMessage(NO_DIRECTORY))
        elif self._recorder is not None:
            self.reply(TraceDeniedMessage(f"this node is being recorded already, to {self._recording_path}"))
        elif not 0 < message.limit_bytes <= RECORDING_BYTES_MAX:
            self.reply(
                TraceDeniedMessage(f"expected a limit of 1 to {RECORDING_BYTES_MAX} bytes, found {message.limit_bytes}")
            )
        else:
            self._begin_recording(self._tracing.directory, message.limit_bytes)

    def _begin_recording(self, directory: Path, limit_bytes: int) -> None:
        try:
            path = self._open_recording(self._runtime, directory, limit_bytes, inputs=False)
        except OSError as error:
            self.reply(TraceDeniedMessage(f"cannot record to {directory}: {error.strerror}"))
            return
        self._show()
        self.reply(RecordingMessage(str(path), 0))

    def _open_recording(self, runtime: Runtime, directory: Path, limit_bytes: int, inputs: bool) -> Path:
        self._serial += 1
        host, port = runtime.address
        path = directory / f"node-{host}-{port}-{runtime.incarnation:x}-{self._serial}.trace"
        directory.mkdir(parents=True, exist_ok=True)
        self._recorder = Recorder(runtime, BoundedFile(path, limit_bytes))
        if inputs:
            record_inputs(runtime, self._recorder)
        self._recording_path = path
        return path

    def end_recording(self, message: EndRecordingMessage) -> None:
        recorder, path = self._recorder, self._recording_path
        if recorder is None or path is None:
            self.reply(TraceDeniedMessage("this node is not being recorded"))
            return
        self._end_recording(recorder)
        self._tell(self.sender, path)

    def _end_recording(self, recorder: Recorder) -> None:
        self._recorder = None
        self._show()
        recorder.close()

    def dump_flight(self, message: DumpFlightMessage) -> None:
        if self.flight is None:
            self.reply(TraceDeniedMessage(NO_FLIGHT))
        else:
            self.flight.dump_to_file(partial(self._dumped, self.sender))

    def _dumped(self, tool: PID, path: Path, error: OSError | None) -> None:
        if error is None:
            self._tell(tool, path)
        else:
            self._runtime.send(tool, TraceDeniedMessage(f"cannot dump the flight recorder: {error}"), self.pid)

    def _tell(self, tool: PID, path: Path) -> None:
        self._told.add(str(path))
        self._runtime.send(tool, RecordingMessage(str(path), path.stat().st_size), self.pid)

    def read_recording(self, message: ReadRecordingMessage) -> None:
        if message.path not in self._told:
            self.reply(TraceDeniedMessage(f"{message.path} is no recording that was told of"))
            return
        try:
            with Path(message.path).open("rb") as file:
                file.seek(message.offset)
                self.reply(RecordingPieceMessage(file.read(PIECE_BYTES)))
        except (OSError, ValueError) as error:
            self.reply(TraceDeniedMessage(f"cannot read {message.path}: {error}"))

    # Interfering.

    def interfere(self, message: InterfereMessage) -> None:
        self._do(lambda: self._breaker.add(message))

    def cut_link(self, message: CutLinkMessage) -> None:
        self._do(lambda: self._breaker.cut(message.address))

    def heal_links(self, message: HealLinksMessage) -> None:
        self._do(self._breaker.heal)

    def release_mail(self, message: ReleaseMailMessage) -> None:
        self._do(lambda: self._breaker.release(message.number, message.is_lost))

    def ask_interferences(self, message: AskInterferencesMessage) -> None:
        self._do(lambda: None)

    def _do(self, interfere: Callable[[], None]) -> None:
        """Interfere, if that is allowed, and answer what is interfered with now."""
        if not self._tracing.may_break:
            self.reply(TraceDeniedMessage(NOT_BREAKABLE))
            return
        try:
            interfere()
        except ValueError as error:
            self.reply(TraceDeniedMessage(str(error)))
            return
        self.reply(InterferencesMessage(tuple(self._breaker.lines())))
