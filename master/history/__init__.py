"""The history of tasks: what became of those that ended, kept for longer than any master lives.

`store` is the port to it, `sqlite` keeps it in the master's work_dir, and `query` is what may be asked of it.
"""
