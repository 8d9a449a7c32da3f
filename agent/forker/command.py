"""The last steps before a container's command runs, taken in the process that will be the command."""

from __future__ import annotations

import os
import signal

from agent.forker.plan import Plan


def become(plan: Plan) -> None:
    """Turn this process into the command. OSError if a step fails; it does not return otherwise."""
    os.setsid()
    _redirect(plan)
    for path in plan.get("cgroups", ()):
        with open(path, "w") as file:
            file.write("0")
    os.chdir(plan["directory"])
    if "user" in plan:
        user, group, groups = plan["user"]
        os.setgroups(groups)
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    _reset_signals()
    os.execvpe(plan["program"], plan["arguments"], plan["environment"])


def _redirect(plan: Plan) -> None:
    """Standard input is empty; output goes to files of the command's user. Python closes all others at the exec."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, plan["stdout"]), (2, plan["stderr"])):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
        if "user" in plan:
            os.fchown(descriptor, plan["user"][0], plan["user"][1])
        os.dup2(descriptor, number)


def _reset_signals() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores these two, and ignored signals stay so in a program
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
