"""Every action that access control lists know, with what its objects are called there."""

from __future__ import annotations

ROLES = "roles"
USERS = "users"
AGENTS = "agents"
MACHINES = "machines"

OBJECTS: dict[str, str] = {
    # What frameworks and agents do.
    "register_frameworks": ROLES,
    "register_agents": AGENTS,
    "run_tasks": USERS,
    "teardown_frameworks": "framework_principals",
    "reserve_resources": ROLES,
    "unreserve_resources": "reserver_principals",
    "create_volumes": ROLES,
    "destroy_volumes": "creator_principals",
    "resize_volumes": ROLES,
    "create_block_disks": ROLES,
    "destroy_block_disks": ROLES,
    "create_mount_disks": ROLES,
    "destroy_mount_disks": ROLES,
    "destroy_raw_disks": ROLES,
    # What operators decide.
    "get_quotas": ROLES,
    "update_quotas": ROLES,
    "update_weights": ROLES,
    "get_maintenance_schedules": MACHINES,
    "update_maintenance_schedules": MACHINES,
    "get_maintenance_statuses": MACHINES,
    "start_maintenances": MACHINES,
    "stop_maintenances": MACHINES,
    "drain_agents": AGENTS,
    "deactivate_agents": AGENTS,
    "reactivate_agents": AGENTS,
    "mark_agents_gone": AGENTS,
    # What is seen.
    "view_frameworks": USERS,
    "view_tasks": USERS,
    "view_executors": USERS,
    "view_containers": USERS,
    "view_roles": ROLES,
    "view_flags": "flags",
    "get_endpoints": "paths",
    "access_sandboxes": USERS,
    "access_mesos_logs": "logs",
    "set_log_level": "level",
    # Containers, and what provides their resources.
    "launch_nested_containers_as_user": USERS,
    "launch_nested_containers_under_parent_with_user": USERS,
    "launch_nested_container_sessions_as_user": USERS,
    "launch_nested_container_sessions_under_parent_with_user": USERS,
    "attach_containers_input": USERS,
    "attach_containers_output": USERS,
    "kill_nested_containers": USERS,
    "wait_nested_containers": USERS,
    "remove_nested_containers": USERS,
    "launch_standalone_containers": USERS,
    "kill_standalone_containers": USERS,
    "wait_standalone_containers": USERS,
    "remove_standalone_containers": USERS,
    "view_standalone_containers": USERS,
    "modify_resource_provider_configs": "resource_providers",
    "mark_resource_providers_gone": "resource_providers",
    "view_resource_providers": "resource_providers",
    "prune_images": "images",
}

WITHOUT_VALUES = frozenset(
    {
        *("view_flags", "access_mesos_logs", "set_log_level", "prune_images"),
        *("get_maintenance_schedules", "update_maintenance_schedules", "get_maintenance_statuses"),
        *("start_maintenances", "stop_maintenances", "drain_agents", "deactivate_agents", "reactivate_agents"),
        *("mark_agents_gone", "register_agents"),
        *(name for name, objects in OBJECTS.items() if objects == "resource_providers"),
    }
)
"""Actions on all or nothing: their object is ANY or NONE."""
