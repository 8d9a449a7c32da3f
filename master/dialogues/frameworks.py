"""Frameworks: registering and coming back, failing over, leaving, and their end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from libprocess.message import Message
from libprocess.pid import PID
from master.allocator.messages import (
    AddFrameworkMessage,
    ChangeFrameworkMessage,
    RemoveFrameworkMessage,
    SetFrameworkActiveMessage,
)
from master.dialogues.authentication import Authentication
from master.dialogues.base import log
from master.dialogues.offers import Offers
from master.records import FrameworkRecord, FrameworkState
from master.registrar.entries import EndedFrameworkEntry, FrameworkEntry
from master.registrar.operations import EndFramework, LeaveFramework, ReturnFramework
from master.updates import Verdict, update_of_known
from master.validation import check_framework, check_framework_revision, check_framework_update
from master.validation.rights import to_register
from mesos.ids import FrameworkID
from mesos.messages import (
    DeactivateFrameworkMessage,
    FrameworkErrorMessage,
    FrameworkRegisteredMessage,
    FrameworkReregisteredMessage,
    FrameworkUnregisteredMessage,
    RegisterFrameworkMessage,
    ReregisterFrameworkMessage,
    ReviseFrameworkMessage,
    UnregisterFrameworkMessage,
    UpdateFrameworkMessage,
)
from mesos.types import FrameworkInfo, Reason, TaskState

RETURN_SECONDS = 30.0
"""A scheduler whose time was over while there was no master gets so much more to come back in."""

FAILED_OVER = "Framework failed over: it has another scheduler now"

Subscription: TypeAlias = RegisterFrameworkMessage | ReregisterFrameworkMessage


class FailoverTimeoutMessage(Message, frozen=True):
    """Master → itself, when a framework has been without a scheduler for too long."""

    framework_id: FrameworkID


class Frameworks(Offers, Authentication):
    """From a scheduler's first word to the last of its framework's tasks."""

    ending: dict[FrameworkID, dict[PID, Message]]
    """Frameworks whose end is on its way to be written down; and the last word of each who would speak for them."""

    # Registering.

    def register_framework(self, message: RegisterFrameworkMessage) -> None:
        """See the message. Whoever registers twice has not had the answer: it gets the same."""
        if self.is_early(self.sender, message):
            return
        if self.is_unproved(self.flags.authenticate_frameworks):
            return
        info, known = self._in_its_name(message.framework), self.cluster.framework_at(self.sender)
        if known is not None and self._is_ending(known.id, message):
            return
        wrong = self._check_framework(info, message)
        if info.id is not None:
            wrong = f"expected a framework that registers to have no id yet, found {info.id}"
        wrong = wrong or self._check_principal(info) or self.refusal(info.principal or None, to_register(info))
        if wrong is not None:
            self.reply(FrameworkErrorMessage(wrong))
            return
        if known is not None:
            if self._is_returning(known.id, message):
                return
            self._resubscribe(known, replace(info, id=known.id), message)
        else:
            info = replace(info, id=self.cluster.new_framework_id())
            known = self._add_framework(info, self.sender, message)
        self.reply(FrameworkRegisteredMessage(known.id, self.info))

    def reregister_framework(self, message: ReregisterFrameworkMessage) -> None:
        """See the message."""
        if self.is_early(self.sender, message):
            return
        if self.is_unproved(self.flags.authenticate_frameworks):
            return
        message = replace(message, framework=self._in_its_name(message.framework))
        info = message.framework
        if self._is_ending(info.id, message):
            return
        wrong = (
            self._check_principal(info)
            or self._check_return(message)
            or self.refusal(info.principal or None, to_register(info))
        )
        if wrong is not None or info.id is None:
            self.reply(FrameworkErrorMessage(wrong or "expected a framework that comes back to have an id, found none"))
            return
        if self._is_returning(info.id, message):
            return
        framework = self.cluster.frameworks.get(info.id)
        if framework is None:
            framework = self._add_framework(info, self.sender, message)
        else:
            self._replace_scheduler(framework, self.sender)
            self._resubscribe(framework, info, message)
        self.reply(FrameworkReregisteredMessage(framework.id, self.info))

    def _is_ending(self, framework_id: FrameworkID | None, message: Subscription) -> bool:
        """Whether a scheduler has to wait until it is written down that its framework is over."""
        if framework_id not in self.ending:
            return False
        self.ending[framework_id][self.sender] = message
        return True

    def _is_returning(self, framework_id: FrameworkID, message: Subscription) -> bool:
        """Whether a scheduler has to wait until it is written down that its framework has one again.

        If it were answered before, and then ended together with this master, the next one might count from an absence
        that is long over.
        """
        if framework_id not in self.cluster.absent:
            return False
        first = self.returning.get(framework_id)
        self.returning[framework_id] = self.sender, message
        if first is None:
            self.write(ReturnFramework(framework_id), partial(self._returned, framework_id))
        elif first[0] != self.sender:
            self.send(first[0], FrameworkErrorMessage(FAILED_OVER))
        return True

    def _returned(self, framework_id: FrameworkID) -> None:
        """It is written down."""
        self.cluster.absent.pop(framework_id, None)
        self.put_back(*self.returning.pop(framework_id))

    def _in_its_name(self, info: FrameworkInfo) -> FrameworkInfo:
        """A framework with the principal that its scheduler proved, if it says none."""
        proved = self.proved_principal()
        return replace(info, principal=proved) if proved and not info.principal else info

    def _check_principal(self, info: FrameworkInfo) -> str | None:
        """Whether a framework is whose its scheduler proved it to be."""
        proved = self.proved_principal()
        if proved is None or info.principal == proved:
            return None
        return f"Framework principal '{info.principal}' does not match authenticated principal '{proved}'"

    def _check_return(self, message: ReregisterFrameworkMessage) -> str | None:
        """Whether this scheduler may be the framework's from now on."""
        info, other = message.framework, self.cluster.framework_at(self.sender)
        if other is not None and other.id != info.id:
            return f"expected framework {other.id}, which has its scheduler here, found {info.id}"
        if info.id in self.cluster.ended:
            return f"Framework has been removed: {info.id} ended; register without an id, or have an operator adopt it"
        framework = self.cluster.frameworks.get(info.id) if info.id else None
        if framework is None:
            return self._check_framework(info, message)
        if framework.connected and framework.pid != self.sender and not message.force:
            return f"Framework failed over: {framework.pid} is the scheduler of {info.id} now"
        return check_framework_update(framework.info, info) or self._check_framework(info, message)

    def _check_framework(self, info: FrameworkInfo, message: Subscription | ReviseFrameworkMessage) -> str | None:
        wrong = check_framework(info, message.suppressed_roles, message.offer_constraints)
        return wrong or self.check_listed(info.all_roles)

    def _add_framework(self, info: FrameworkInfo, pid: PID, message: Subscription) -> FrameworkRecord:
        assert info.id is not None
        framework = self.cluster.add_framework(info.id, info, pid, self.now)
        suppressed, constraints = message.suppressed_roles, message.offer_constraints
        framework.restrict(suppressed, constraints)
        self.link(pid)
        self.send(self.allocator, AddFrameworkMessage(info.id, info, True, suppressed, constraints))
        log.info("framework %s (%s) registered from %s", info.id, info.name, pid)
        return framework

    def recover_framework(self, info: FrameworkInfo) -> FrameworkRecord:
        """Learn from an agent of a framework whose scheduler has not come yet, and give that some time."""
        assert info.id is not None
        framework = self.cluster.add_framework(info.id, info, None, self.now)
        self.send(self.allocator, AddFrameworkMessage(info.id, info, active=False))
        entry = self.cluster.absent.get(info.id)
        if entry is None:
            seconds = max(info.failover_timeout_seconds, self.flags.agent_reregister_timeout_seconds)
            self._write_absence(framework, seconds)
        else:
            left = entry.since + entry.failover_timeout_seconds - self.now
            seconds = max(left, min(RETURN_SECONDS, self.flags.agent_reregister_timeout_seconds))
        framework.patience = self.delay(seconds, FailoverTimeoutMessage(framework.id))
        return framework

    def _write_absence(self, framework: FrameworkRecord, seconds: float) -> None:
        """Let later masters know that a framework has no scheduler, and how long it may go without."""
        self.cluster.absent[framework.id] = FrameworkEntry(framework.id, self.now, seconds)
        self.write(LeaveFramework(framework.id, self.now, seconds))

    def _replace_scheduler(self, framework: FrameworkRecord, pid: PID) -> None:
        """Dismiss the scheduler that the framework has, if it is another."""
        old = framework.pid
        if old == pid:
            return
        if old is not None:
            self.tell(framework, FrameworkErrorMessage(FAILED_OVER))
            self.unlink(old)
            log.info("framework %s fails over from %s to %s", framework.id, old, pid)
        self.give_back(framework.offers.values())
        self.cluster.move_framework(framework, pid)

    def _resubscribe(self, framework: FrameworkRecord, info: FrameworkInfo, message: Subscription) -> None:
        """Its scheduler is back: what it was offered before, it does not know any more."""
        assert framework.pid is not None
        self.rescind(framework.offers.values())
        was_active, known = framework.active, framework.info
        if (info.user, info.checkpoint) != (known.user, known.checkpoint):
            log.warning("framework %s keeps its user %r and checkpoint=%s", framework.id, known.user, known.checkpoint)
        info = replace(info, user=known.user, checkpoint=known.checkpoint)
        self.cluster.subscribe_framework(framework, info, self.now)
        self.cluster.notices.forget(framework.id)  # so that it is told again
        self.link(framework.pid)
        self._tell_of_change(framework, message)
        if not was_active:
            self.send(self.allocator, SetFrameworkActiveMessage(framework.id, True))

    def _tell_of_change(self, framework: FrameworkRecord, message: Subscription | ReviseFrameworkMessage) -> None:
        """Let the allocator know what a framework is now and wants, and the agents where it runs something."""
        info, suppressed, constraints = framework.info, message.suppressed_roles, message.offer_constraints
        framework.restrict(suppressed, constraints)
        self.send(self.allocator, ChangeFrameworkMessage(framework.id, info, suppressed, constraints))
        for agent in map(self.cluster.agents.__getitem__, framework.agent_ids()):
            self.send(agent.pid, UpdateFrameworkMessage(framework.id, info, framework.pid))

    def revise_framework(self, message: ReviseFrameworkMessage) -> None:
        """See the message. What it was offered for roles that it has no more, is taken back."""
        info = message.framework
        framework = self.caller(info.id or FrameworkID(""))
        if framework is None:
            return
        wrong = self.check_revision(framework, message) or self.refusal(info.principal or None, to_register(info))
        if wrong is not None:
            self.reply(FrameworkErrorMessage(wrong))
            return
        self.rescind([offer for offer in framework.offers.values() if offer.role not in info.all_roles])
        self.cluster.revise_framework(framework, info)
        self._tell_of_change(framework, message)

    def check_revision(self, framework: FrameworkRecord, message: ReviseFrameworkMessage) -> str | None:
        """Whether a framework may become that, if it is allowed to."""
        info = message.framework
        return (
            check_framework_update(framework.info, info)
            or self._check_framework(info, message)
            or check_framework_revision(framework.info, info)
        )

    # Leaving.

    def deactivate_framework(self, message: DeactivateFrameworkMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is not None:
            self._part_from(framework, FrameworkState.INACTIVE)

    def scheduler_exited(self, framework: FrameworkRecord, reason: str) -> None:
        """The link to its scheduler broke."""
        log.info("framework %s lost its scheduler %s: %s", framework.id, framework.pid, reason)
        self._part_from(framework, FrameworkState.DISCONNECTED)

    def _part_from(self, framework: FrameworkRecord, state: FrameworkState) -> None:
        """No more offers; its tasks go on until its failover timeout is over."""
        self.rescind(framework.offers.values())
        self.cluster.notices.forget(framework.id)
        self.cluster.leave_framework(framework, state)
        self.send(self.allocator, SetFrameworkActiveMessage(framework.id, False))
        if framework.patience is None:
            seconds = framework.info.failover_timeout_seconds
            framework.patience = self.delay(seconds, FailoverTimeoutMessage(framework.id))
            if seconds > 0:
                self._write_absence(framework, seconds)

    def failover_timeout(self, message: FailoverTimeoutMessage) -> None:
        """See the message."""
        framework = self.cluster.frameworks.get(message.framework_id)
        if not self.is_own() or framework is None or framework.id in self.ending:
            return
        if framework.id in self.returning:
            framework.patience = self.delay(RETURN_SECONDS, message)
        else:
            self.remove_framework(framework, "its scheduler did not come back in time")

    def unregister_framework(self, message: UnregisterFrameworkMessage) -> None:
        """See the message."""
        framework = self.caller(message.framework_id)
        if framework is not None:
            answer = partial(self.send, self.sender, FrameworkUnregisteredMessage(framework.id))
            self.remove_framework(framework, "its scheduler ended it", answer)

    # The end.

    def remove_framework(self, framework: FrameworkRecord, why: str, then: Callable[[], None] = lambda: None) -> None:
        """Have it written down that a framework is over, and then end all that it runs, and do `then`.

        Until then it runs on, but nobody speaks for it any more, and it is offered nothing.
        """
        log.info("framework %s (%s) is over: %s", framework.id, framework.info.name, why)
        self.ending[framework.id] = {}
        self.rescind(framework.offers.values())
        framework.stop_waiting()
        if framework.connected:
            self.cluster.leave_framework(framework, FrameworkState.DISCONNECTED)
            self.send(self.allocator, SetFrameworkActiveMessage(framework.id, False))
        if framework.pid is not None:
            self.unlink(framework.pid)
        info = replace(framework.info, id=framework.id, labels=(), offer_filters=())
        ended = EndedFrameworkEntry(framework.id, self.now, framework.registered_time, info)
        end = EndFramework(ended.id, ended.since, ended.registered_time, info)
        self.write(end, partial(self._ended, framework, ended, why, then))

    def _ended(
        self, framework: FrameworkRecord, ended: EndedFrameworkEntry, why: str, then: Callable[[], None]
    ) -> None:
        """It is written down: no later master takes the framework back."""
        for agent in map(self.cluster.agents.__getitem__, framework.agent_ids()):
            self.shut_down(framework.id, agent)
        self._forget_what_runs(framework, why)
        self.send(self.allocator, RemoveFrameworkMessage(framework.id))
        self.cluster.absent.pop(framework.id, None)
        self.cluster.complete_framework(framework, ended.since)
        self.forget_caller(framework)
        self.cluster.ended[framework.id] = ended
        for sender, message in self.ending.pop(framework.id).items():
            self.put_back(sender, message)
        then()

    def _forget_what_runs(self, framework: FrameworkRecord, why: str) -> None:
        """Its tasks are being killed: nobody is left who could be told more."""
        verdict = Verdict(TaskState.TASK_KILLED, Reason.REASON_FRAMEWORK_REMOVED, why)
        for _, task in sorted(framework.tasks.items()):
            update = update_of_known(framework, task, verdict, self.now)
            if not task.ended:
                self.counts.count_end(update.status.state, update.status)
                self.remember(task, update)
            self.cluster.update_task(task, update)
            self.cluster.remove_task(task)
        for agent_id, executor_id in sorted(framework.executors):
            self.cluster.remove_executor(framework.id, agent_id, executor_id)
