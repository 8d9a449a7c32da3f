"""A scheduler on mesoshttp: one command, from its launch to its end. Prints the states that it heard of, as JSON."""

from __future__ import annotations

import json
import os
import sys

from mesoshttp.client import MesosClient

TERMINAL = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST"}


class Tester:
    """Launches on the first offer. This client handles an event when the next one comes."""

    def __init__(self, client: MesosClient) -> None:
        self.client = client
        self.states: list[str] = []
        self.launched = False
        client.on(MesosClient.SUBSCRIBED, self.subscribed)
        client.on(MesosClient.OFFERS, self.offers)
        client.on(MesosClient.UPDATE, self.update)

    def subscribed(self, driver):
        self.driver = driver

    def offers(self, offers):
        for offer in offers:
            if self.launched:
                offer.decline(SOON_AGAIN)
            else:
                self.launched = True
                offer.accept([self.task(offer.get_offer())], SOON_AGAIN)

    def task(self, offer):
        return {
            "name": "hello",
            "task_id": {"value": "hello"},
            "agent_id": offer["agent_id"],
            "resources": [{"name": name, "type": "SCALAR", "scalar": {"value": value}} for name, value in WANTED],
            "command": {"value": "echo hello"},
        }

    def update(self, update):
        """The client has acknowledged it already."""
        self.states.append(update["status"]["state"])
        if self.states[-1] in TERMINAL:
            self.driver.tearDown()
            print(json.dumps({"states": self.states, "master": self.client.get_master_info()}), flush=True)
            os._exit(0)  # its loop would wait for the next event


SOON_AGAIN = {"filters": {"refuse_seconds": 0.1}}
WANTED = (("cpus", 0.1), ("mem", 32))

if __name__ == "__main__":
    url, user = sys.argv[1:]
    client = MesosClient(mesos_urls=[url], frameworkName="mesoshttp tester", frameworkUser=user)
    Tester(client)
    client.register()
