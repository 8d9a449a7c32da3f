"""The last steps before a container's command runs, taken in the process that will be the command."""

from __future__ import annotations

import errno
import os
import resource

from agent.forker import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.forker.plan import Plan

_NO_SIGNAL = kernel.signal_set(())


def become(plan: Plan) -> None:
    """Turn this process into the command. OSError if a step fails; it does not return otherwise."""
    os.setsid()
    _redirect(plan)
    for group in plan.get("groups", ()):
        kernel.write(f"{group['path']}/cgroup.procs", "0")
    os.chdir(plan["directory"])
    for number, soft, hard in plan.get("rlimits", ()):
        resource.setrlimit(number, (soft, hard))
    _take_rights(plan)
    kernel.block_signals(_NO_SIGNAL)
    _execute(plan)


def _take_rights(plan: Plan) -> None:
    """Become the user, with the capabilities that the plan says."""
    if "bounding" in plan:
        kernel.drop_capabilities_beyond(plan["bounding"])
    if "effective" in plan:
        kernel.keep_capabilities()
    if "user" in plan:
        user_id, group_id, further = plan["user"]
        os.setgroups(further)
        os.setresgid(group_id, group_id, group_id)
        os.setresuid(user_id, user_id, user_id)
    if "effective" in plan:
        kernel.set_capabilities(plan["effective"])
    if plan.get("no_new_privileges"):
        kernel.forbid_new_privileges()


def _redirect(plan: Plan) -> None:
    """Standard input is empty; output goes to files of the command's user. Python closes all others at the exec."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, plan["stdout"]), (2, plan["stderr"])):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
        if "user" in plan:
            os.fchown(descriptor, plan["user"][0], plan["user"][1])
        os.dup2(descriptor, number)


def _execute(plan: Plan) -> None:
    """As os.execvpe, which is made for other days: it imports modules first, and those would be imported each time."""
    program, environment = plan["program"], plan["environment"]
    if "/" in program:
        os.execve(program, plan["arguments"], environment)
    fault: OSError = FileNotFoundError(errno.ENOENT, "not found along PATH")
    for directory in environment["PATH"].split(":"):
        try:
            os.execve(f"{directory or '.'}/{program}", plan["arguments"], environment)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            fault = error
    raise fault
