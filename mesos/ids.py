"""Ids: one type per noun, and the rule that every id obeys.

They are plain text at run time; the types keep a TaskID from being passed where an AgentID is meant.
"""

from __future__ import annotations

from typing import NewType

FrameworkID = NewType("FrameworkID", str)
AgentID = NewType("AgentID", str)
OfferID = NewType("OfferID", str)
TaskID = NewType("TaskID", str)
ExecutorID = NewType("ExecutorID", str)
ContainerID = NewType("ContainerID", str)
OperationID = NewType("OperationID", str)
ResourceProviderID = NewType("ResourceProviderID", str)

ID_LENGTH_MAX = 255


def check_id(text: str) -> str | None:
    """Say in one line what is wrong with an id that somebody else chose; None when it is good.

    Ids become names of files and parts of URLs: 1 to 255 bytes long, without separators and control characters.
    """
    if not text:
        return "expected an id, found ''"
    if len(text.encode(errors="surrogatepass")) > ID_LENGTH_MAX:
        return f"expected an id of at most {ID_LENGTH_MAX} bytes, found {len(text)} characters: {text[:32]!r}…"
    if text in (".", ".."):
        return f"expected an id that can name a directory, found {text!r}"
    bad = next((character for character in text if _is_forbidden(character)), None)
    if bad is not None:
        return f"expected an id without separators and control characters, found {bad!r} in {text!r}"
    return None


def _is_forbidden(character: str) -> bool:
    code = ord(character)
    return character in "/\\" or code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000
