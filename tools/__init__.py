"""What a developer or an operator runs beside the cluster. `python -m tools.NAME`."""
