"""Calls to the kernel that Python 3.11 has no names for."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 1 << 19

# Of bpf(2), for which the C library has no name.
_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "s390x": 351, "ppc64le": 361}
_BPF_PROG_LOAD = 5
_BPF_PROG_ATTACH = 8
_BPF_PROG_TYPE_CGROUP_DEVICE = 15
_BPF_CGROUP_DEVICE = 6
_BPF_F_ALLOW_MULTI = 2
_BPF_INSTRUCTION_BYTES = 8

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522

_SIG_SETMASK = 2
_SFD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_SIGNALFD_RECORD_BYTES = 128
_READ_BYTES = 1 << 16

_libc = ctypes.CDLL(None, use_errno=True)
_SignalSet = ctypes.c_ulong * 16
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


def unshare(flags: int) -> None:
    """See unshare(2)."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """See setns(2)."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """See mount(2)."""
    texts = (os.fsencode(text) for text in (source, target, kind))
    _check(_libc.mount(*texts, flags, os.fsencode(options)), f"mount {target}")


def signal_at_parents_death(number: int) -> None:
    """Have this process sent a signal when its parent dies; 0 is none."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")


def write(path: str, text: str) -> None:
    """Write a small file, which is made where it is missing. Python's own files would touch many pages after a fork."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, text, path)
    finally:
        os.close(descriptor)


def replace(path: str, text: str) -> None:
    """Write a small file so that whoever reads it finds the old one or the new one."""
    new = f"{path}.new"
    try:
        write(new, text)
        os.rename(new, path)
    except OSError:
        if os.access(new, os.F_OK):
            os.unlink(new)
        raise


def overwrite(path: str, text: str) -> None:
    """Write over a small file that is there, which takes no room on the disk unless it was smaller."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        _write_all(descriptor, text, path)
        os.ftruncate(descriptor, len(text.encode()))
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, text: str, path: str) -> None:
    content = text.encode()
    if os.write(descriptor, content) < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def read(path: str) -> str:
    """Read a small file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = b""
        while piece := os.read(descriptor, _READ_BYTES):
            content += piece
        return content.decode()
    finally:
        os.close(descriptor)


def signal_set(numbers: Iterable[int]) -> ctypes.Array[ctypes.c_ulong]:
    """Signals as the kernel takes them."""
    return _SignalSet(sum(1 << int(number) - 1 for number in numbers))


def block_signals(signals: ctypes.Array[ctypes.c_ulong]) -> None:
    """Have these signals wait from now on, and no others. Cheaper than Python's own, which is called for every fork."""
    _check(_libc.sigprocmask(_SIG_SETMASK, signals, None), "sigprocmask")


def signal_descriptor(signals: ctypes.Array[ctypes.c_ulong]) -> int:
    """A descriptor that is readable while one of these signals, which must be blocked, waits."""
    descriptor: int = _libc.signalfd(-1, signals, _SFD_FLAGS)
    _check(min(descriptor, 0), "signalfd")
    return descriptor


def take_signals(descriptor: int) -> list[int]:
    """Take the signals that wait at a `signal_descriptor`."""
    taken = []
    try:
        while record := os.read(descriptor, _SIGNALFD_RECORD_BYTES):
            taken.append(int.from_bytes(record[:4], sys.byteorder))
    except BlockingIOError:
        pass
    return taken


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def last_capability() -> int:
    """The highest number of a capability that this kernel knows."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        return int(file.read())


def drop_capabilities_beyond(kept: Iterable[int]) -> None:
    """Give up all other capabilities for good, also for whatever is executed later."""
    for number in set(range(last_capability() + 1)) - set(kept):
        _check(_libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0), "prctl")


def keep_capabilities() -> None:
    """Keep the capabilities when this process stops to be root's."""
    _check(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl")


def set_capabilities(numbers: Iterable[int]) -> None:
    """Have exactly these capabilities, also after an exec."""
    bits = sum(1 << number for number in numbers)
    words = [bits & 0xFFFFFFFF] * 3 + [bits >> 32] * 3  # effective, permitted, inheritable; low, then high
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)(*words)), "capset")
    for number in range(bits.bit_length()):
        if bits >> number & 1:
            _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number, 0, 0), "prctl")


def forbid_new_privileges() -> None:
    """Let no program that is executed later give more rights than this process has."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def load_device_program(instructions: bytes) -> int:
    """A descriptor of a program of eBPF that decides which devices may be used."""
    code, license_ = ctypes.create_string_buffer(instructions), ctypes.create_string_buffer(b"Apache-2.0")
    count = len(instructions) // _BPF_INSTRUCTION_BYTES
    addresses = (ctypes.addressof(code), ctypes.addressof(license_))
    return _bpf(_BPF_PROG_LOAD, struct.pack("=IIQQ", _BPF_PROG_TYPE_CGROUP_DEVICE, count, *addresses))


def decide_on_devices(group: str, instructions: bytes) -> None:
    """Have such a program decide for a control group of version 2, beside those of the groups around it."""
    program, directory = load_device_program(instructions), os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _bpf(_BPF_PROG_ATTACH, struct.pack("=IIII", directory, program, _BPF_CGROUP_DEVICE, _BPF_F_ALLOW_MULTI))
    finally:
        os.close(directory)
        os.close(program)


def _bpf(command: int, attributes: bytes) -> int:
    number = _BPF.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), "bpf")
    result: int = _libc.syscall(number, command, ctypes.create_string_buffer(attributes), len(attributes))
    _check(min(result, 0), "bpf")
    return result


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
