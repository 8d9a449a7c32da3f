"""The registry: the little that must outlive every master, written down before anybody acts upon it.

The Registrar (`actor`) has messages of its own. It keeps `entries`, changes them by `operations` that are pure, and has
a `store` behind a port that keeps them for good: SQLite on this machine, the ZooKeeper ensemble, or memory.
"""
