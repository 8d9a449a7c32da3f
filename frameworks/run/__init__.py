"""Run: one command on a cluster, once or several times. `python -m frameworks.run --help` says how it is used."""
