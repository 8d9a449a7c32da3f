"""The tests: they mirror the tree, tell whole-cluster stories on top, and keep what needs real processes in system/."""
