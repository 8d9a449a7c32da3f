"""Rights: what whoever is behind the mail at hand may do, by the operator's access control lists."""

from __future__ import annotations

from collections.abc import Iterable

from libprocess.http import HttpResponse
from libprocess.process import Process
from mesos.access.acls import Need
from mesos.access.flags import AccessFlags
from mesos.access.gate import name_of


class Rights(Process):
    """Base of an actor that others ask for something."""

    flags: AccessFlags

    @property
    def asker(self) -> str | None:
        """The principal behind the HTTP request at hand; None if it did not say who it is."""
        return name_of(self.principal)

    def refusal(self, principal: str | None, needs: Iterable[Need]) -> str | None:
        """The first of what is needed that a principal may not do, in words."""
        rights = self.flags.rights
        return next((why for need in needs if (why := rights.refusal(principal, *need)) is not None), None)

    def forbidden(self, *needs: Need) -> HttpResponse | None:
        """The answer to an HTTP request that needs more than its principal may; None if it may."""
        why = self.refusal(self.asker, needs)
        return None if why is None else HttpResponse.forbidden(why)
