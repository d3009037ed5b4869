"""Finds the leader, keeps to it, and repeats what may be repeated."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import grpc
from google.rpc import error_details_pb2, status_pb2

from . import errors, ids
from ._proto import admin_pb2

_CLUSTER_ID = "farthing-cluster-id"
_STATUS_TIMEOUT_S = 1.0
_BACKOFF_S = (0.02, 1.0)
_RETRYABLE = {
    "NOT_LEADER",
    "NO_LEADER",
    "OVERLOADED",
    "OUTCOME_UNKNOWN",
    "SHUTTING_DOWN",
    "STARTING",
    "INDEX_NOT_REACHED",
    "LEADER_TRANSFER_FAILED",
    "MEMBERS_CHANGING",
    "MEMBER_BEHIND",
    "DISK_FULL",
    "NODE_SUSPECT",
}
# Reasons after which the request may have been applied, or may still be.
_UNCERTAIN = {"OUTCOME_UNKNOWN", "INTERNAL"}
# An overloaded leader, or one without room, is still the leader.
_STAYS = {"OVERLOADED", "DISK_FULL", "INDEX_NOT_REACHED", "DEADLINE", "INVALID_FIELD", "TOO_LARGE"}
_OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 8 << 20),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    # Repeating is this module's: it knows which node to ask.
    ("grpc.enable_retries", 0),
]


class Failure(Exception):
    """Why one attempt has no answer."""

    def __init__(
        self,
        error: errors.FarthingError,
        *,
        retryable: bool,
        nothing_happened: bool,
        leaves: bool,
        retry_after_s: float = 0.0,
        leader: str = "",
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retryable = retryable
        self.nothing_happened = nothing_happened
        self.leaves = leaves
        self.retry_after_s = retry_after_s
        self.leader = leader


def failure_of(address: str, error: grpc.RpcError) -> Failure:
    """What a gRPC status means. Without Farthing's own details it says nothing of what the server did."""
    refused = _details(error)
    if refused is not None:
        reason, message, violations, retry_after_s, leader = refused
        if reason == "CLUSTER_ID_MISMATCH":
            mismatch = errors.ClusterMismatch(f"{address}: {message}")
            return Failure(mismatch, retryable=False, nothing_happened=True, leaves=True)
        return Failure(
            errors.Refused(reason, message, violations),
            retryable=reason in _RETRYABLE,
            nothing_happened=reason not in _UNCERTAIN,
            leaves=reason not in _STAYS,
            retry_after_s=retry_after_s,
            leader=leader,
        )
    code = error.code()
    message = f"{address}: {code.name}: {error.details()}"
    final = {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
    if code in final:
        refusal = errors.Refused(code.name, message)
        return Failure(refusal, retryable=False, nothing_happened=False, leaves=True)
    return Failure(errors.NotReachable(message), retryable=True, nothing_happened=False, leaves=True)


def _details(error: grpc.RpcError) -> Optional[tuple[str, str, list[errors.FieldViolation], float, str]]:
    trailing = dict(error.trailing_metadata() or ())
    raw = trailing.get("grpc-status-details-bin")
    if raw is None:
        return None
    status = status_pb2.Status.FromString(raw)
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        for message in (info, bad, retry):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    if info.domain != "farthing":
        return None
    violations = [errors.FieldViolation(it.field, it.description) for it in bad.field_violations]
    retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return info.reason, status.message, violations, retry_after_s, info.metadata.get("leader", "")


class Router:
    """Channels to all nodes, and which of them leads. Any thread may use it."""

    def __init__(self, endpoints: list[str], cluster_id: Optional[int]) -> None:
        self._lock = threading.Lock()
        self._channels: dict[str, grpc.Channel] = {}
        self._endpoints = [_address(endpoint) for endpoint in endpoints]
        self._cluster_id = cluster_id
        self._leader: Optional[str] = None
        self._turn = 0
        if not self._endpoints:
            raise errors.NotReachable("no endpoint was given")

    def close(self) -> None:
        with self._lock:
            channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.close()

    def endpoints(self) -> list[str]:
        with self._lock:
            return list(self._endpoints)

    def call(
        self,
        method: str,
        request: Any,
        reply: Any,
        deadline: float,
        *,
        any_node: bool = False,
        idempotent: bool = True,
        item_ids: Optional[list[int]] = None,
    ) -> tuple[Any, bool]:
        """The reply of a unary call, and whether an earlier attempt may have been applied.

        It is repeated until the deadline: reads and items with ids always, others while nothing happened for certain.
        """
        wait_s, doubtful = _BACKOFF_S[0], False
        while True:
            try:
                address = self._next() if any_node else self._find_leader(deadline)
                return self._once(address, method, request, reply, deadline), doubtful
            except Failure as failure:
                self._note(failure)
                doubtful = doubtful or not failure.nothing_happened
                pause = max(wait_s * random.uniform(0.5, 1.0), failure.retry_after_s)
                wait_s = min(wait_s * 2, _BACKOFF_S[1])
                may_repeat = failure.retryable and (idempotent or not doubtful)
                if not may_repeat or time.monotonic() + pause >= deadline:
                    if doubtful and item_ids:
                        raise errors.UnknownOutcome(item_ids, str(failure.error)) from failure.error
                    raise failure.error from None
                time.sleep(pause)

    def ask(self, address: str, method: str, request: Any, reply: Any, deadline: float) -> Any:
        """One attempt at one node."""
        try:
            return self._once(_address(address), method, request, reply, deadline)
        except Failure as failure:
            raise failure.error from None

    def _once(self, address: str, method: str, request: Any, reply: Any, deadline: float) -> Any:
        left = deadline - time.monotonic()
        if left <= 0:
            error = errors.DeadlineExceeded("the deadline passed before anything was done")
            raise Failure(error, retryable=False, nothing_happened=True, leaves=False)
        metadata = [(_CLUSTER_ID, ids.format_id(self._cluster_id))] if self._cluster_id is not None else None
        call = self._channel(address).unary_unary(
            f"/farthing.v1.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply.FromString,
        )
        try:
            answer, context = call.with_call(request, timeout=left, metadata=metadata)
        except grpc.RpcError as error:
            raise failure_of(address, error) from None
        self._hold(address, dict(context.initial_metadata() or ()).get(_CLUSTER_ID))
        return answer

    def _hold(self, address: str, told: Optional[str]) -> None:
        if told is None:
            return
        found = ids.parse_id(told)
        with self._lock:
            if self._cluster_id is None:
                self._cluster_id = found
            expected = self._cluster_id
        if expected != found:
            words = f"{address} belongs to cluster {told}, not to {ids.format_id(expected)}: check the endpoints"
            raise Failure(errors.ClusterMismatch(words), retryable=False, nothing_happened=False, leaves=True)

    def _channel(self, address: str) -> grpc.Channel:
        with self._lock:
            channel = self._channels.get(address)
            if channel is None:
                channel = grpc.insecure_channel(address, options=_OPTIONS)
                self._channels[address] = channel
            return channel

    def _next(self) -> str:
        with self._lock:
            self._turn += 1
            return self._endpoints[self._turn % len(self._endpoints)]

    def _note(self, failure: Failure) -> None:
        if failure.leaves:
            with self._lock:
                self._leader = _address(failure.leader) if failure.leader else None

    def _find_leader(self, deadline: float) -> str:
        with self._lock:
            if self._leader is not None:
                return self._leader
        until = min(deadline, time.monotonic() + _STATUS_TIMEOUT_S)
        with ThreadPoolExecutor(max_workers=8) as pool:
            answers = list(pool.map(lambda address: self._status(address, until), self.endpoints()))
        best: Optional[tuple[int, bool, str]] = None
        for answer in answers:
            if answer is not None and (best is None or answer > best):
                best = answer
        if best is None:
            error = errors.NotReachable("no node says who leads")
            raise Failure(error, retryable=True, nothing_happened=True, leaves=True)
        with self._lock:
            self._leader = best[2]
            if best[2] not in self._endpoints:
                self._endpoints.append(best[2])
        return best[2]

    def _status(self, address: str, until: float) -> Optional[tuple[int, bool, str]]:
        """Term, whether it leads itself, and who leads."""
        try:
            status = self._once(address, "Admin/Status", admin_pb2.StatusRequest(), admin_pb2.StatusReply, until)
        except Failure:
            return None
        leads = status.role == admin_pb2.ROLE_LEADER
        leader = address if leads else _address(status.leader_address)
        return (status.term, leads, leader) if leader else None


def _address(text: str) -> str:
    return text.strip().removeprefix("http://").rstrip("/")


