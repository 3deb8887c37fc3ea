"""A node in front of a node that changes answers: for faults that no real node produces on demand."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.support.refusing_node import RefusingNode

Change = Callable[[str, list[Any], dict[str, Any]], dict[str, Any]]
"""Takes a method, its parameters and the real answer; returns the answer to give."""


class LyingNode(RefusingNode):
    """Forwards every call, then lets ``change`` have its way with the answer."""

    def __init__(self, upstream: str, change: Change) -> None:
        super().__init__(upstream, lambda _method, _target: None)
        self._change = change
        self._lock = threading.Lock()

    @property
    def asked(self) -> Counter[str]:
        """How often each method was called."""
        return Counter(method for method, _, _ in self.seen)

    def _answer(self, body: bytes, target: str, headers: dict[str, str]) -> bytes:
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        self.seen += [(call["method"], target, headers) for call in calls]
        answers = json.loads(self._forward(body))
        listed = answers if isinstance(answers, list) else [answers]
        by_id = {answer["id"]: answer for answer in listed}
        with self._lock:  # what tests do here is not made for several requests at a time
            changed = [self._change(call["method"], call["params"], by_id[call["id"]]) for call in calls]
        return json.dumps(changed if isinstance(asked, list) else changed[0]).encode()


def refuse(
    answer: dict[str, Any], message: str = "the method does not exist", code: int = -32601
) -> dict[str, Any]:
    """Return a refusal in place of an answer."""
    return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": code, "message": message}}


def without_javascript(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Refuse JavaScript tracers, as most providers do."""
    if method == "debug_traceTransaction" and "{" in str(params[1].get("tracer", "")):
        return refuse(answer, "custom tracers are disabled", -32000)
    return answer


def without_opcodes(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Refuse JavaScript tracers and opcode logs: only native tracers are left."""
    if method == "debug_traceTransaction" and "tracer" not in params[1]:
        return refuse(answer, "the default tracer is disabled", -32000)
    return without_javascript(method, params, answer)
