"""What may pass is tried again, with pauses; what lasts is raised."""

from __future__ import annotations

import pytest

from specminer._support.errors import NodeRefused, NodeUnreachable
from specminer.sources.retrying import FIRST_TRIES, TRIES, PassingFailure, Retries


class Server:
    """Fails a number of times before it answers."""

    def __init__(self, failures: int, *, wait: float = 0) -> None:
        self.requests = 0
        self._failures = failures
        self._wait = wait

    def send(self) -> str:
        self.requests += 1
        if self.requests <= self._failures:
            raise PassingFailure(NodeUnreachable(f"failure {self.requests}"), wait=self._wait)
        return "answer"


def test_a_failure_that_passes_is_not_seen() -> None:
    server = Server(1)
    assert Retries(0.001).run(server.send) == "answer"
    assert server.requests == 2


def test_before_the_first_answer_it_fails_soon_and_afterwards_late() -> None:
    retries = Retries(0.001)
    server = Server(100)
    with pytest.raises(NodeUnreachable, match=f"failure {FIRST_TRIES}"):
        retries.run(server.send)
    assert retries.run(Server(0).send) == "answer"
    server = Server(TRIES - 1)
    assert retries.run(server.send) == "answer"
    assert server.requests == TRIES
    with pytest.raises(NodeUnreachable, match=f"failure {TRIES}"):
        retries.run(Server(100).send)


def test_what_will_not_pass_is_raised_at_once() -> None:
    def refuse() -> str:
        raise NodeRefused("no")

    with pytest.raises(NodeRefused, match="no"):
        Retries(0.001).run(refuse)


def test_a_server_is_given_the_time_that_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    Retries(0.001).run(Server(1, wait=120).send)
    (pause,) = pauses
    assert 120 <= pause < 121
