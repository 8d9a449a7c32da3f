"""An executor on pymesos: it runs each task in its own process, and says what the task's data was."""

from __future__ import annotations

import os
import time

from pymesos import Executor, MesosExecutorDriver, decode_data, encode_data


class Echo(Executor):
    """Answers with the data of its tasks, and of its mail."""

    def launchTask(self, driver, task):
        self._report(driver, task, "TASK_RUNNING")
        driver.sendFrameworkMessage(encode_data(b"task " + decode_data(task["data"])))
        self._report(driver, task, "TASK_FINISHED", encode_data(str(os.getpid()).encode()))

    def frameworkMessage(self, driver, message):
        driver.sendFrameworkMessage(encode_data(b"mail " + decode_data(message)))

    def _report(self, driver, task, state, data=None):
        status = {"task_id": task["task_id"], "state": state, "timestamp": time.time()}
        driver.sendStatusUpdate(status | ({"data": data} if data else {}))


if __name__ == "__main__":
    MesosExecutorDriver(Echo()).run()
