"""Frameworks, each written as an outsider would: from libprocess and mesos alone. `python -m frameworks.NAME`."""
