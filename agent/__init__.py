"""The agent: it offers one machine's resources and runs tasks on them in containers. `python -m agent`."""
