"""The forker: a small program that starts the agent's containers.

To fork is dear in a large process, and an agent's loop must not wait for it. So the agent starts this program once, and
tells it over a socket what to start. For each container it forks an init, which lives as long as the container; the
init starts the command, passes signals on, reaps what is orphaned, and leaves the exit status in a file where an agent
finds it that was restarted meanwhile.

These modules use nothing but the standard library, and little of that: every container is a fork of what is loaded
here. Modules that load others (json, typing, socket, contextlib) doubled what a fork costs.
"""

from __future__ import annotations
