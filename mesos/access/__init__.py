"""Access: what an operator says about who may come in, and what they may do there.

`credentials` are what principals prove themselves with, `acls` say what a principal may do, `gate` makes of both what
stands at the HTTP door of a master or an agent. All of it is pure but for reading files when a program begins.
"""

from __future__ import annotations
