"""Rules about devices, as version 1 of control groups writes them, as a program of eBPF for version 2.

The kernel runs it whenever a device is opened or made, and hands it what is to be done with which one; it answers 1,
which allows it, or 0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_TYPES = {"b": 1, "c": 2}
_ACCESSES = {"m": 1, "r": 2, "w": 4}
_EVERY_ACCESS = sum(_ACCESSES.values())

# Registers, by what they hold: the answer, what the kernel hands over, and what is taken out of that.
_ANSWER, _HANDED, _TYPE, _ACCESS, _MAJOR, _MINOR = range(6)

_LOAD_WORD = 0x61
_MOVE_NUMBER, _MOVE = 0xB7, 0xBC
_AND, _SHIFT_RIGHT = 0x54, 0x74
_JUMP_UNLESS_EQUAL = 0x55
_EXIT = 0x95


def compile_rules(rules: Sequence[str]) -> bytes:
    """A program that allows what one of the rules allows, such as `c 1:3 rwm`, and nothing else."""
    program = [
        _instruction(_LOAD_WORD, _TYPE, _HANDED, 0),
        _instruction(_MOVE, _ACCESS, _TYPE),
        _instruction(_AND, _TYPE, number=0xFFFF),
        _instruction(_SHIFT_RIGHT, _ACCESS, number=16),
        _instruction(_LOAD_WORD, _MAJOR, _HANDED, 4),
        _instruction(_LOAD_WORD, _MINOR, _HANDED, 8),
    ]
    for rule in rules:
        program += _compile(rule)
    return b"".join((*program, *_answer(0)))


def _compile(rule: str) -> list[bytes]:
    """The part of the program that answers 1 if the rule fits, and goes on to the next part if not."""
    kind, numbers, accesses = rule.split()
    major, minor = numbers.split(":")
    forbidden = _EVERY_ACCESS & ~sum(_ACCESSES[access] for access in accesses)
    before: list[bytes] = []
    needed = [(_TYPE, _TYPES[kind])]
    if forbidden:
        before = [_instruction(_MOVE, _ANSWER, _ACCESS), _instruction(_AND, _ANSWER, number=forbidden)]
        needed.append((_ANSWER, 0))
    needed += [(register, int(text)) for register, text in ((_MAJOR, major), (_MINOR, minor)) if text != "*"]
    answer = _answer(1)
    checks = [
        _instruction(_JUMP_UNLESS_EQUAL, register, offset=len(needed) - place + len(answer), number=number)
        for place, (register, number) in enumerate(needed, 1)
    ]
    return [*before, *checks, *answer]


def _answer(number: int) -> list[bytes]:
    return [_instruction(_MOVE_NUMBER, _ANSWER, number=number), _instruction(_EXIT)]


def _instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, number: int = 0) -> bytes:
    return struct.pack("=BBhi", code, target | source << 4, offset, number)
