"""A node in front of a node that exchanges answers within a batch: each bears the identifier of its request."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.support.refusing_node import RefusingNode


class SwappingNode(RefusingNode):
    """Forwards batches, and gives the results of one method's requests in another order.

    Args:
        upstream: the HTTP URL of the node behind it.
        methods: whose results are exchanged.
        seed: of the orders.
    """

    def __init__(self, upstream: str, methods: frozenset[str], seed: int = 0) -> None:
        super().__init__(upstream, lambda _method, _target: None)
        self.exchanged = 0
        """Answers that were given to another request."""
        self._methods = methods
        self._random = random.Random(seed)

    def _answer(self, body: bytes, target: str, headers: dict[str, str]) -> bytes:
        asked: Any = json.loads(body)
        answers: Any = json.loads(self._forward(body))
        if not isinstance(asked, list):
            return json.dumps(answers).encode()
        by_id = {answer["id"]: answer for answer in answers}
        for method in sorted(self._methods):
            numbers = [call["id"] for call in asked if call["method"] == method]
            shuffled = self._random.sample(numbers, len(numbers))
            taken = {number: by_id[other] for number, other in zip(numbers, shuffled, strict=True)}
            self.exchanged += sum(one != other for one, other in zip(numbers, shuffled, strict=True))
            by_id |= {number: answer | {"id": number} for number, answer in taken.items()}
        return json.dumps([by_id[call["id"]] for call in asked]).encode()
