"""What an agent must not forget when it ends before what runs on it: who it is, and its tasks with their updates.

    boot_id                 the boot of the machine that all this is of
    agents/latest           the id of the agent that lived here last
    agents/ID/agent.info    what it told its master
    agents/ID/journal       its frameworks, executors, tasks and updates, as facts in the order in which they came about

Mesos has a directory for each executor and task, and some files in it. One journal takes one sync for all that became
known in the meantime, which is what an agent can afford that starts hundreds of tasks in a second.
"""

from __future__ import annotations
