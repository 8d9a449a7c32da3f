"""A scheduler on pymesos: a command that succeeds, one that fails, one that is killed, and two tasks of an executor.

Prints what it heard as JSON, once everything has ended.
"""

from __future__ import annotations

import json
import sys
import threading

from pymesos import MesosSchedulerDriver, Scheduler, decode_data, encode_data

TERMINAL = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST"}
COMMANDS = {"good": "true", "bad": "exit 3", "long": "sleep 600"}


class Tester(Scheduler):
    """Launches on the first offer that is large enough, and ends when all has ended."""

    def __init__(self, executor_command: str) -> None:
        self.executor_command = executor_command
        self.launched = False
        self.states: dict[str, list[str]] = {}
        self.mail: list[str] = []
        self.executors: set[str] = set()
        self.answered = False

    def registered(self, driver, framework_id, master_info):
        self.framework_id = framework_id["value"]
        self.master = master_info

    def resourceOffers(self, driver, offers):
        for offer in offers:
            if self.launched or not fits(offer):
                driver.declineOffer(offer["id"], {"refuse_seconds": 1})
            else:
                self.launched = True
                self.offer = offer
                driver.launchTasks(offer["id"], [*self.commands(offer), *self.executor_tasks(offer)])

    def commands(self, offer):
        return [task(offer, name, 0.1, command={"value": line}) for name, line in COMMANDS.items()]

    def executor_tasks(self, offer):
        executor = {
            "executor_id": {"value": "echo"},
            "command": {"value": self.executor_command},
            "resources": [scalar("cpus", 0.1), scalar("mem", 32)],
        }
        return [
            task(offer, name, 0.1, executor=executor, data=encode_data(name.encode())) for name in ("echo1", "echo2")
        ]

    def statusUpdate(self, driver, update):
        name, state = update["task_id"]["value"], update["state"]
        self.states.setdefault(name, []).append(state)
        if (name, state) == ("long", "TASK_RUNNING"):
            driver.killTask(update["task_id"])
        if name.startswith("echo") and state == "TASK_FINISHED":
            self.executors.add(decode_data(update["data"]).decode())
        self.end_if_done(driver)

    def frameworkMessage(self, driver, executor_id, agent_id, message):
        self.mail.append(decode_data(message).decode())
        if len(self.mail) == 2:
            driver.sendFrameworkMessage(executor_id, agent_id, encode_data(b"hello"))
        self.end_if_done(driver)

    def error(self, driver, message):
        print(json.dumps({"error": message}))
        driver.abort()

    def end_if_done(self, driver):
        ended = [name for name, states in self.states.items() if states[-1] in TERMINAL]
        if len(ended) == 5 and len(self.mail) == 3 and not self.answered:
            self.answered = True
            print(json.dumps(self.heard()), flush=True)
            threading.Thread(target=driver.stop).start()

    def heard(self):
        return {
            "framework_id": self.framework_id,
            "master": self.master,
            "states": self.states,
            "mail": sorted(self.mail),
            "executors": len(self.executors),
            "offer": self.offer,
        }


def fits(offer):
    return any(each["name"] == "cpus" and each["scalar"]["value"] >= 0.6 for each in offer["resources"])


def scalar(name, value):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}}


def task(offer, name, cpus, **what):
    return {
        "task_id": {"value": name},
        "agent_id": {"value": offer["agent_id"]["value"]},
        "name": name,
        "resources": [scalar("cpus", cpus), scalar("mem", 32)],
        **what,
    }


if __name__ == "__main__":
    master, executor_command, user = sys.argv[1:]
    framework = {"user": user, "name": "pymesos tester", "checkpoint": True, "failover_timeout": 30}
    MesosSchedulerDriver(Tester(executor_command), framework, master).run()
