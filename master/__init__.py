"""The master: it admits agents and frameworks, offers resources, and launches what is accepted. `python -m master`."""
