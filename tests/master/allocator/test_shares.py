"""Who gets how much in the long run: the example of the paper on dominant resource fairness, weights, roles, lots."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from master.allocator import Options
from master.allocator.messages import Lot, RoleWeight, SetWeightsMessage, SuppressRolesMessage
from master.allocator.sorter import find_sorter
from master.flags import MasterFlags
from mesos.ids import AgentID, FrameworkID
from mesos.resources import Resources
from tests.master.allocator.scene import Scene, agent, decline, framework, recover, use


def play(scene: Scene, demands: dict[str, str], total: str, roles: dict[str, str] | None = None) -> Counter[str]:
    """Each framework launches one task of its demand per offer, and leaves the rest to others, until nothing fits.

    Returns how many tasks each framework has.
    """
    roles = roles or {}
    tasks: Counter[str] = Counter()
    waiting = scene.say(*(framework(id, roles.get(id, id)) for id in demands), agent("a", total))
    while waiting:
        ((id, _, resources),) = waiting
        offered, demand = Resources.parse(resources), Resources.parse(demands[id])
        role = roles.get(id, id)
        if not offered.contains(demand):
            waiting = scene.say(decline(id, Lot(AgentID("a"), offered), role=role, seconds=1e6))
            continue
        tasks[id] += 1
        used, left = Lot(AgentID("a"), demand), Lot(AgentID("a"), offered - demand)
        waiting = scene.say(use(id, used, role=role), recover(id, left, role=role))
    return tasks


def progressive_filling(weights: dict[str, float]) -> dict[str, int]:
    """The same by hand: whoever has the smallest share of what it has most of gets one more task, while one fits."""
    total, demands, tasks, waiting = (90, 180), {"a": (1, 4), "b": (3, 1)}, {"a": 0, "b": 0}, {"a", "b"}

    def place(id: str) -> tuple[Fraction, int, str]:
        share = max(Fraction(tasks[id] * demands[id][n], total[n]) for n in (0, 1))
        return share / Fraction(weights.get(id, 1)), tasks[id], id

    while waiting:
        id = min(waiting, key=place)
        used = [sum(tasks[each] * demands[each][n] for each in tasks) for n in (0, 1)]
        if all(used[n] + demands[id][n] <= total[n] for n in (0, 1)):
            tasks[id] += 1
        else:
            waiting.remove(id)
    return tasks


def test_the_example_of_the_paper():
    tasks = play(Scene(), {"a": "cpus:1;mem:4096", "b": "cpus:3;mem:1024"}, "cpus:9;mem:18432")

    assert tasks == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [({}, {"a": 30, "b": 20}), ({"a": 2.0}, {"a": 41, "b": 16}), ({"b": 2.0}, {"a": 18, "b": 24})],
)
def test_weights_move_it(weights: dict[str, float], expected: dict[str, int]):
    scene = Scene()
    scene.say(SetWeightsMessage(tuple(RoleWeight(role, weight) for role, weight in weights.items())))

    assert progressive_filling(weights) == expected
    assert play(scene, {"a": "cpus:1;mem:4096", "b": "cpus:3;mem:1024"}, "cpus:90;mem:184320") == expected


def test_what_is_excluded_counts_in_nobodys_share():
    demands = {"a": "cpus:1;mem:10", "b": "cpus:1;mem:10;gpus:1"}
    counted, excluded = (
        play(Scene(Options(filter_gpu_resources=False, fair_sharing_excluded_resource_names=names)), demands, total)
        for total in ["cpus:8;mem:800;gpus:4"]
        for names in [(), ("gpus",)]
    )

    assert counted == {"a": 5, "b": 3}
    assert excluded == {"a": 4, "b": 4}


def test_a_role_and_its_neighbours_share_what_is_due_to_the_role_above():
    demands = dict.fromkeys(("a", "b", "c"), "cpus:1;mem:10")
    tasks = play(Scene(), demands, "cpus:12;mem:1200", {"a": "eng/backend", "b": "eng/web", "c": "ops"})

    assert tasks == {"a": 3, "b": 3, "c": 6}


def test_a_roles_own_frameworks_stand_beside_the_roles_below_it():
    demands = dict.fromkeys(("a", "b", "c"), "cpus:1;mem:10")
    tasks = play(Scene(), demands, "cpus:12;mem:1200", {"a": "eng", "b": "eng/web", "c": "eng/web"})

    assert tasks == {"a": 6, "b": 3, "c": 3}


def test_weights_count_among_siblings():
    scene = Scene()
    scene.say(SetWeightsMessage((RoleWeight("eng/web", 2.0), RoleWeight("eng", 3.0))))
    demands = dict.fromkeys(("a", "b", "c"), "cpus:1;mem:10")
    tasks = play(scene, demands, "cpus:12;mem:1200", {"a": "eng/backend", "b": "eng/web", "c": "ops"})

    assert tasks == {"a": 3, "b": 6, "c": 3}


def test_the_random_policy_draws_by_weight():
    scene = Scene(Options(role_sorter="random", framework_sorter="random"))
    scene.say(SetWeightsMessage((RoleWeight("heavy", 3.0),)), framework("a", "heavy"), framework("b", "light"))
    agents = [agent(f"agent{number}") for number in range(1000)]
    drawn = Counter(id for id, _, _ in scene.say(*agents))

    assert 700 <= drawn["a"] <= 800


def test_the_random_policy_draws_by_weight_among_a_few_who_want_of_many(scene_of_many: Scene):
    scene_of_many.say(SetWeightsMessage((RoleWeight("role0", 3.0),)))
    drawn = Counter(id for id, _, _ in scene_of_many.say(*(agent(f"agent{number}") for number in range(1000))))

    assert drawn.keys() == {"f0", "f1"}
    assert 700 <= drawn["f0"] <= 800


@pytest.fixture
def scene_of_many() -> Scene:
    """A hundred frameworks, each in a role of its own, of which two want offers."""
    scene = Scene(Options(role_sorter="random", framework_sorter="random"))
    scene.say(*(framework(f"f{number}", f"role{number}") for number in range(100)))
    scene.say(*(SuppressRolesMessage(FrameworkID(f"f{number}")) for number in range(2, 100)))
    return scene


def test_the_random_policy_finds_the_one_who_wants_among_many_who_do_not():
    scene = Scene(Options(role_sorter="random", framework_sorter="random"))
    scene.say(*(framework(f"f{number}", f"role{number}") for number in range(100)))
    scene.say(*(SuppressRolesMessage(FrameworkID(f"f{number}")) for number in range(100) if number != 50))

    assert scene.say(agent("x")) == [("f50", "x", "cpus:4;mem:1024")]


def test_an_unknown_policy_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^found no sorter 'fair', expected one of: drf, random; install"):
        find_sorter("fair")


PRIORITIES = """
'''The heaviest first, whatever they have; of those with one weight the last by name.'''

class PrioritySorter:
    def __init__(self, totals, chance):
        self.totals = totals

    def added(self, node):
        pass

    removed = changed = added

    def in_order(self, parent, eligible):
        children = sorted(parent.children.values(), key=lambda node: (node.weight, node.path), reverse=True)
        return (node for node in children if node.mask & eligible)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a policy that another package brings."""
    info = tmp_path / "elsewhere-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[mesolite.sorters]\npriority = elsewhere:PrioritySorter\n")
    tmp_path.joinpath("elsewhere.py").write_text(PRIORITIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "priority"


def test_a_policy_may_come_from_another_package(installed: str):
    flags = MasterFlags(work_dir="work", role_sorter=installed, framework_sorter=installed)
    scene = Scene(Options(role_sorter=flags.role_sorter, framework_sorter=flags.framework_sorter))
    scene.say(SetWeightsMessage((RoleWeight("eng", 2.0), RoleWeight("eng/web", 0.5))))
    scene.say(*(framework(id, role) for id, role in zip("abcd", ("eng/web", "eng", "ops", "ops"), strict=True)))
    order = []
    offered = scene.say(agent("x"))
    for role in ("eng", "eng/web", "ops", "ops"):
        ((id, _, resources),) = offered
        order.append(id)
        offered = scene.say(decline(id, Lot(AgentID("x"), Resources.parse(resources)), role=role, seconds=1e6))

    assert order == ["b", "a", "d", "c"]
    assert offered == []
