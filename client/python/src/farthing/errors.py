"""What can go wrong with a call.

A refused *item* is not here: it is an Outcome with its status. The line that matters most runs between UnknownOutcome and
the others: after every other error nothing of the call was or will be applied.
"""

from __future__ import annotations

from dataclasses import dataclass


class FarthingError(Exception):
    """Whatever goes wrong with a call."""


class UnknownOutcome(FarthingError):
    """The call may have been applied, may still be, or not: no answer came in time.

    Send the same items with the same ids again; what was applied answers ``exists``.
    """

    def __init__(self, ids: list[int], cause: str) -> None:
        super().__init__(f"the outcome is unknown ({cause}): send the same ids again")
        self.ids = ids
        """Ids of the items."""


class DeadlineExceeded(FarthingError):
    """The deadline passed; nothing was applied."""


class NotReachable(FarthingError):
    """No node, or no leader, could be reached; nothing was applied."""


class ClusterMismatch(FarthingError):
    """An endpoint belongs to another cluster; nothing was applied."""


@dataclass(frozen=True)
class FieldViolation:
    """A field of a request that cannot be read."""

    field: str
    """Path such as ``transfers[3].amount``."""
    description: str
    """What is wrong with it, in words."""


class Refused(FarthingError):
    """The server refused the call as a whole; nothing was applied."""

    def __init__(self, reason: str, message: str, violations: list[FieldViolation] | None = None) -> None:
        fields = "".join(f"; {it.field}: {it.description}" for it in violations or [])
        super().__init__(f"{message} [{reason}]{fields}")
        self.reason = reason
        """Stable text for programs, such as ``TOO_LARGE``."""
        self.violations = violations or []
        """Refused fields, when the reason is ``INVALID_FIELD``."""
