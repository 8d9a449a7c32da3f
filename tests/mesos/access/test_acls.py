"""Access control lists: what they mean, for every action, and what is wrong with those that cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesos.access.acls import NO_ACLS, Acls, parse_acls
from mesos.access.actions import OBJECTS, WITHOUT_VALUES

ANY: dict[str, Any] = {"type": "ANY"}
NONE: dict[str, Any] = {"type": "NONE"}


def some(*values: str) -> dict[str, Any]:
    return {"values": list(values)}


def acls(action: str, *entries: tuple[dict[str, Any], dict[str, Any]], permissive: bool | None = None) -> Acls:
    tree: dict[str, Any] = {action: [{"principals": who, OBJECTS[action]: what} for who, what in entries]}
    return parse_acls(json.dumps(tree | ({} if permissive is None else {"permissive": permissive})))


@pytest.mark.parametrize("action", OBJECTS)
def test_without_lists_everybody_may_do_everything(action: str):
    assert NO_ACLS.allow("ada", action, "x")
    assert NO_ACLS.allow(None, action)
    assert not NO_ACLS.restrict(action)


@pytest.mark.parametrize("action", OBJECTS)
def test_every_action_is_allowed_to_some_and_denied_to_others(action: str):
    objects = ANY if action in WITHOUT_VALUES else some("mine")
    asked = None if action in WITHOUT_VALUES else "mine"
    lists = acls(action, (some("ada"), objects), (ANY, NONE))
    assert lists.restrict(action)
    assert lists.allow("ada", action, asked)
    assert not lists.allow("bob", action, asked)
    assert not lists.allow(None, action, asked)
    if action not in WITHOUT_VALUES:
        assert not lists.allow("ada", action, "theirs")
        assert not lists.allow("ada", action)


@pytest.mark.parametrize("action", OBJECTS)
def test_what_no_list_speaks_of_is_as_permissive_says(action: str):
    assert acls(action, (some("ada"), NONE)).allow("bob", action, "x")
    assert not acls(action, (some("ada"), NONE), permissive=False).allow("bob", action, "x")
    assert not parse_acls('{"permissive": false}').allow("ada", action, "x")


def test_the_first_entry_that_speaks_of_both_decides():
    lists = acls("run_tasks", (some("ada"), some("root")), (some("ada"), NONE), (ANY, some("guest")))
    assert lists.allow("ada", "run_tasks", "root")
    assert not lists.allow("ada", "run_tasks", "guest")
    assert lists.allow("bob", "run_tasks", "guest")


def test_nobody_is_spoken_of_with_every_object_and_denied():
    lists = acls("run_tasks", (NONE, some("root")))
    assert not lists.allow("ada", "run_tasks", "root")
    assert lists.allow("ada", "run_tasks", "guest")


def test_who_did_not_say_who_it_is_is_only_spoken_of_as_anybody_or_nobody():
    lists = acls("view_roles", (some("ada"), NONE), (ANY, some("ads")), permissive=False)
    assert lists.allow(None, "view_roles", "ads")
    assert not lists.allow(None, "view_roles", "ops")


def test_roles_below_a_role_are_spoken_of_together():
    lists = acls("register_frameworks", (some("ada"), some("a/%")), (ANY, NONE))
    assert lists.allow("ada", "register_frameworks", "a/b")
    assert lists.allow("ada", "register_frameworks", "a/b/c")
    assert not lists.allow("ada", "register_frameworks", "a")
    assert not lists.allow("ada", "register_frameworks", "ab/c")


def test_a_misspelt_action_of_our_own_is_an_error():
    with pytest.raises(KeyError):
        NO_ACLS.allow("ada", "run_task", "root")


WRONG = [
    ("[]", "expected an object with a list for each action, found list"),
    ("{", "expected access control lists as JSON"),
    ('{"permissive": 1}', "expected permissive to be true or false, found 1"),
    ('{"run_task": []}', "expected an action such as .*, found 'run_task'"),
    ('{"run_tasks": {}}', "expected a list for run_tasks"),
    ('{"run_tasks": [{"principals": {"type": "ANY"}}]}', "expected principals and users in each entry of run_tasks"),
    ('{"run_tasks": [{"principals": {"type": "ALL"}, "users": {"type": "ANY"}}]}', "expected .*, found .*ALL"),
    ('{"run_tasks": [{"principals": {"values": "ada"}, "users": {"type": "ANY"}}]}', "expected .*, found .*ada"),
    ('{"run_tasks": [{"principals": {"type": "ANY"}, "users": {"values": ["a/%"]}}]}', "expected /% in roles only"),
    ('{"view_flags": [{"principals": {"type": "ANY"}, "flags": {"values": ["x"]}}]}', "expected ANY or NONE as flags"),
    ("/no/such/file", "expected a readable file, found /no/such/file"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_wrong_list_is_told(text: str, told: str):
    with pytest.raises(ValueError, match=told):
        parse_acls(text)
