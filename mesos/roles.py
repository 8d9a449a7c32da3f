"""Roles: who resources are for. Names form a tree, `eng/backend` stands below `eng`."""

from __future__ import annotations

ANY_ROLE = "*"


def check_role(role: str) -> str | None:
    """Say in one line what is wrong with the name of a role; None when it is good."""
    if role == ANY_ROLE:
        return None
    for part in role.split("/"):
        if part in ("", ".", "..", ANY_ROLE):
            return f"expected a role such as eng or eng/backend, found the part {part!r} in {role!r}"
        if part.startswith("-"):
            return f"expected the parts of a role not to begin with '-', found {role!r}"
        if not part.isprintable() or any(character in " \\" for character in part):
            return f"expected a role without blanks, backslashes and control characters, found {role!r}"
    return None


def is_above(ancestor: str, role: str) -> bool:
    """Whether `ancestor` stands above `role` in the tree; no role stands above itself, and `*` above none."""
    return role.startswith(ancestor + "/")


def is_at_or_above(ancestor: str, role: str) -> bool:
    """Whether it is the role, or stands above it."""
    return ancestor == role or is_above(ancestor, role)
