"""A real cluster of three nodes for the tests.

The programs are those of ``cargo build --release --bins``: FARTHING_BIN names ``farthing``, beside which farthing-node lies.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def _program() -> pathlib.Path:
    named = os.environ.get("FARTHING_BIN")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = pathlib.Path(named) if named else target / "release" / "farthing"
    if not program.exists():
        pytest.fail(f"{program} is missing: run `make build`, or set FARTHING_BIN")
    return program


class Cluster:
    """Three nodes in a directory."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._command = [str(_program()), "--dir", str(directory)]
        self._killed: list[int] = []
        self.run("cluster", "up")

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"farthing {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def status(self) -> dict:
        return json.loads(self.run("-o", "json", "cluster", "status"))

    def endpoints(self) -> list[str]:
        return [node["client_address"] for node in self.status()["nodes"]]

    def leader(self) -> int:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            leader = self.status()["leader"]
            if leader is not None:
                return leader
            time.sleep(0.05)
        raise AssertionError("nobody leads")

    def kill_leader(self) -> None:
        leader = self.leader()
        self.run("cluster", "kill", str(leader))
        self._killed.append(leader)

    def restart_killed(self) -> None:
        while self._killed:
            self.run("cluster", "restart", str(self._killed.pop()))

    def end(self) -> None:
        subprocess.run([*self._command, "cluster", "kill", "all"], capture_output=True, timeout=60)


@pytest.fixture
def cluster(tmp_path: pathlib.Path):
    cluster = Cluster(tmp_path / "cluster")
    yield cluster
    cluster.end()
