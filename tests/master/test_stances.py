"""Every route and every call of the master has a stance about who may use it."""

from __future__ import annotations

from mesos.access.actions import OBJECTS
from tests.master.guarded import guarded

STANCES = {
    # Open to all, as in Mesos.
    **dict.fromkeys(("/master/health", "/master/version", "/master/pid", "/master/redirect"), "open"),
    # Part of the cluster: what is seen of it is filtered.
    **dict.fromkeys(("/master/state", "/master/state.json", "/master/state-summary"), "seen"),
    **dict.fromkeys(("/master/state-summary.json", "/master/explain"), "seen"),
    **{f"/master/{name}{end}": "seen" for name in ("slaves", "frameworks", "tasks", "roles") for end in ("", ".json")},
    # By an action.
    "/master/flags": "view_flags",
    "/master/teardown": "teardown_frameworks",
    "/master/history": "seen",
    "/master/adopt": "teardown_frameworks",
    "/master/reserve": "reserve_resources",
    "/master/unreserve": "unreserve_resources",
    "/master/create-volumes": "create_volumes",
    "/master/destroy-volumes": "destroy_volumes",
    "/master/weights": "view_roles, update_weights",
    "/master/quota": "get_quotas, update_quotas",
    "/master/quota/*": "update_quotas",
    "/master/": "a page that shows what it is shown",
    "/master/webui/*": "a page that shows what it is shown",
    "/master/maintenance/schedule": "get_maintenance_schedules, update_maintenance_schedules",
    "/master/maintenance/status": "get_maintenance_statuses",
    "/master/machine/down": "start_maintenances",
    "/master/machine/up": "stop_maintenances",
    "/master/api/v1/*": "by its calls",
    "/master/api/v1/scheduler": "register_frameworks",
    "/metrics/": "get_endpoints",
    "/metrics/snapshot": "get_endpoints",
    "/registrar(1)/registry": "get_endpoints",
    "/openapi.json/": "a description of the rest",
    **dict.fromkeys(
        ("/__processes__/", "/help/*", "/logging/toggle", "/system/stats", "/system/stats.json"), "get_endpoints"
    ),
    "/files/debug": "get_endpoints",
    # A master has none.
    **{f"/files/{name}{end}": "no files" for name in ("browse", "read", "download") for end in ("", ".json")},
}
"""What decides who may use each route. Whoever adds a route says it here, and tests above that it holds."""


def test_every_route_has_a_stance_about_who_may_use_it():
    scene = guarded("{}")
    routes = scene.node.routes.all()
    assert set(routes) == set(STANCES)
    assert {path for path, route in routes.items() if route.access == "open"} == {
        path for path, stance in STANCES.items() if stance == "open"
    }


CALL_STANCES = {
    **dict.fromkeys(("GET_HEALTH", "GET_VERSION", "GET_LOGGING_LEVEL", "GET_MASTER"), "open"),
    **dict.fromkeys(("GET_STATE", "GET_AGENTS", "GET_FRAMEWORKS", "GET_EXECUTORS", "GET_OPERATIONS"), "seen"),
    **dict.fromkeys(("GET_TASKS", "GET_ROLES", "GET_WEIGHTS", "GET_QUOTA", "SUBSCRIBE"), "seen"),
    "GET_FLAGS": "view_flags",
    "GET_METRICS": "get_endpoints",
    "SET_LOGGING_LEVEL": "set_log_level",
    "LIST_FILES": "access_mesos_logs",
    "READ_FILE": "access_mesos_logs",
    "TEARDOWN": "teardown_frameworks",
    "UPDATE_WEIGHTS": "update_weights",
    **dict.fromkeys(("UPDATE_QUOTA", "SET_QUOTA", "REMOVE_QUOTA"), "update_quotas"),
    "RESERVE_RESOURCES": "reserve_resources",
    "UNRESERVE_RESOURCES": "unreserve_resources",
    "CREATE_VOLUMES": "create_volumes",
    "DESTROY_VOLUMES": "destroy_volumes",
    "GROW_VOLUME": "resize_volumes",
    "SHRINK_VOLUME": "resize_volumes",
    "DRAIN_AGENT": "drain_agents",
    "DEACTIVATE_AGENT": "deactivate_agents",
    "REACTIVATE_AGENT": "reactivate_agents",
    "MARK_AGENT_GONE": "mark_agents_gone",
    "UPDATE_MAINTENANCE_SCHEDULE": "update_maintenance_schedules",
    "GET_MAINTENANCE_SCHEDULE": "get_maintenance_schedules",
    "GET_MAINTENANCE_STATUS": "get_maintenance_statuses",
    "START_MAINTENANCE": "start_maintenances",
    "STOP_MAINTENANCE": "stop_maintenances",
}
"""What decides who may make each call. Whoever adds one says it here, and tests above that it holds."""


def test_every_call_has_a_stance_about_who_may_make_it():
    master = guarded("{}").master
    assert {*master.operator_calls, *master.operator_orders} <= set(CALL_STANCES)
    assert {stance for stance in CALL_STANCES.values() if stance not in OBJECTS} == {"open", "seen"}
