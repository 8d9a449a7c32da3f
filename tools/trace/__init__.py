"""mesos-trace: see every message between actors, and why it was sent.

It reads the recordings of any program built on libprocess (`libprocess.recording`), or taps its running nodes.
"""

from __future__ import annotations
