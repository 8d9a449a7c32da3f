"""The batch: xargs for a cluster. `python -m frameworks.batch --help` says how it is used."""
