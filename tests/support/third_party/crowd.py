"""People who call contracts by chance, rightly and wrongly, on a chain of their own: the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any, Final

from tests.support.anvil import BLOCK_SECONDS, Anvil, Call, Deployed

NOBODY: Final = "0x" + "00" * 20
"""The zero address."""
NO_HASH: Final = bytes(32)
ETHER: Final = 10**18
FINNEY: Final = 10**15
HOUR: Final = 3600
DAY: Final = 86_400

_DOMAIN: Final = {
    "name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address",
}  # fmt: skip

Action = Callable[[], list[Call]]
"""Makes up what somebody does next: calls that stand in this order in one block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A contract whose history is to be recorded."""

    name: str
    """The name of its folder, and of its file of expected conditions."""
    address: str
    artifact: Mapping[str, Any]
    """The compiler's output: ``abi`` and ``storageLayout``."""


class Crowd:
    """Some people, their chain and its clock.

    Args:
        anvil: a running node that nobody else uses.
        seed: what all choices follow from.
        size: how many people there are beside the owner.
    """

    def __init__(self, anvil: Anvil, *, seed: int = 0, size: int = 8) -> None:
        self.anvil = anvil
        self.random = Random(seed)
        self.owner = anvil.accounts[0]
        self.people = anvil.accounts[1 : size + 1]
        self.now = anvil.now()
        """Unix seconds of the latest block, or of the one that is being filled."""
        self.aims: dict[str, str] = {}
        """The labels of the calls that had one, by hash of the transaction."""

    def deploy(self, output: Mapping[str, Any], *arguments: Any, sender: str | None = None) -> Deployed:
        """Deploy a contract, as the owner unless told otherwise, in a block of its own."""
        deployed = self.anvil.deploy(sender or self.owner, output, *arguments)
        self.now = self.anvil.now()
        return deployed

    def one(self, *weighted: str, chance: float = 0.7) -> str:
        """Return anybody; or, with this chance, one of those given."""
        if weighted and self.random.random() < chance:
            return self.random.choice(weighted)
        return self.random.choice(self.people)

    def mine(self, *calls: Call, seconds: int = BLOCK_SECONDS) -> list[dict[str, Any]]:
        """Mine these calls in one block, so many seconds after the last; return the receipts."""
        self.now = self.anvil.now() + seconds
        return self._mine(calls)

    def act(
        self, actions: Mapping[Action, int], *, blocks: int, size: int = 8, seconds: Sequence[int] = (12, 60)
    ) -> None:
        """Mine blocks of so many random actions each.

        Args:
            actions: what people do, with how often they do it in relation to the others.
            blocks: how many blocks.
            size: actions in a block.
            seconds: from a block to the next, one of these.
        """
        for _ in range(blocks):
            self.now = self.anvil.now() + self.random.choice(seconds)
            chosen = self.random.choices(list(actions), weights=list(actions.values()), k=size)
            self._mine([call for action in chosen for call in action()])

    def sign_typed(
        self,
        signer: str,
        *,
        name: str,
        contract: str,
        kind: str,
        values: Mapping[str, Any],
        types: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, bytes, bytes]:
        """Return ``v``, ``r``, ``s`` of an account's signature under an EIP-712 message of version ``1``.

        Text is an address and a number a ``uint256``, unless ``types`` has another type for the field.
        """
        fields = {
            field: "address" if isinstance(value, str) else "uint256" for field, value in values.items()
        } | dict(types)
        listed = {kind: fields, "EIP712Domain": _DOMAIN}
        domain = {
            "name": name, "version": "1", "chainId": self.anvil.chain_id, "verifyingContract": contract,
        }  # fmt: skip
        message = {field: value if isinstance(value, str) else str(value) for field, value in values.items()}
        typed = {
            "types": {
                each: [{"name": field, "type": type_} for field, type_ in part.items()]
                for each, part in listed.items()
            },
            "primaryType": kind,
            "domain": domain,
            "message": message,
        }
        signature = bytes.fromhex(self.anvil.rpc("eth_signTypedData_v4", signer, typed)[2:])
        return signature[64], signature[:32], signature[32:64]

    def _mine(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        receipts = self.anvil.block(calls, timestamp=self.now)
        for call, receipt in zip(calls, receipts, strict=True):
            if call.label:
                self.aims[receipt["transactionHash"]] = call.label
        return receipts
