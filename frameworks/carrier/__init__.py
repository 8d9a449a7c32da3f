"""The carrier: an executor that runs commands and carries what they write to their scheduler.

One executor per agent runs any number of commands. Output travels as framework messages, so it needs nothing but the
cluster itself; messages may get lost, so the scheduler's side (`Receiver`) knows what it lacks and asks for it.
"""
