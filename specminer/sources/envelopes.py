"""Reads a transaction and its receipt as a node returns them, and checks that they are those asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from specminer._support.errors import ChainError, InvalidNodeResponse, plain
from specminer.contracts.transaction_types import is_foreign, is_of_system, type_of
from specminer.history.trace import NO_ADDRESS, Address, Block, Hash, Word
from specminer.sources.emptiness import check_logs_shown
from specminer.sources.node import octets, quantity, small
from specminer.sources.trace_matching import Envelope, ReceiptLog

_T = TypeVar("_T")


class TipChanged(ChainError):
    """A block was replaced while it was being read; the chunk must be read again."""


def block_of(answer: Any) -> Block:
    """Read a block as a node returns it.

    Raises:
        InvalidNodeResponse: it is none.

    """
    if not isinstance(answer, dict):
        raise InvalidNodeResponse("the node returned no block")
    return Block(
        number=small(answer.get("number"), "block number"),
        hash=Hash(octets(answer.get("hash"), "block hash", 32)),
        timestamp=small(answer.get("timestamp"), "block timestamp"),
        base_fee=_optional(answer.get("baseFeePerGas"), "base fee", quantity),
        beneficiary=_optional(answer.get("miner"), "beneficiary", _address),
        gas_limit=_optional(answer.get("gasLimit"), "gas limit of the block", small),
        randomness=_randomness(answer),
    )


def _address(value: Any, field: str) -> Address:
    return Address(octets(value, field, 20))


def _optional(value: Any, field: str, read: Callable[[Any, str], _T]) -> _T | None:
    """Read a field of a block that not all chains have, or have in this form; ``None`` if it cannot be read."""
    try:
        return None if value is None else read(value, field)
    except InvalidNodeResponse:
        return None


def _randomness(answer: dict[str, Any]) -> Word | None:
    """Return what the opcode for it gave in a block: the difficulty, or the randomness once there is none."""
    difficulty = _optional(answer.get("difficulty"), "difficulty", quantity)
    if difficulty:
        return Word(difficulty)
    mixed = _optional(answer.get("mixHash"), "mixHash", lambda value, field: octets(value, field, 32))
    return None if mixed is None else Word(int.from_bytes(mixed, "big"))


_OF_TRANSACTIONS: Final = ("hash", "from", "gas", "input", "nonce", "value", "transactionIndex")
"""Fields that every transaction of Ethereum has."""


def check_transaction(hash_: Hash, answer: Any) -> None:
    """Check that a node returned a whole transaction, the one that was asked for, or none.

    Raises:
        InvalidNodeResponse: it did not.

    """
    if answer is None:
        return
    name = f"transaction 0x{hash_.hex()}"
    if not isinstance(answer, dict):
        raise InvalidNodeResponse(f"the node returned no {name}, or no receipt of it")
    _check_fields(answer, name)
    _check_transaction_hash(hash_, answer, name)


def check_receipt(hash_: Hash, answer: Any) -> None:
    """Check that a node returned a whole receipt, that of the transaction that was asked for, or none.

    Raises:
        InvalidNodeResponse: it did not.

    """
    if answer is None:
        return
    name = f"transaction 0x{hash_.hex()}"
    if not isinstance(answer, dict):
        raise InvalidNodeResponse(f"the node returned no receipt of {name}")
    octets(answer.get("blockHash"), f"blockHash of {name}", 32)
    small(answer.get("gasUsed"), f"gasUsed of {name}")
    _check_receipt_hash(hash_, answer, name)
    check_logs_shown(answer, name)


def _check_transaction_hash(hash_: Hash, transaction: dict[str, Any], name: str) -> None:
    if octets(transaction["hash"], f"hash of {name}", 32) != hash_:
        raise InvalidNodeResponse(f"the node returned another transaction when asked for {name}")


def _check_receipt_hash(hash_: Hash, receipt: dict[str, Any], name: str) -> None:
    text = receipt.get("transactionHash", f"0x{hash_.hex()}")  # old nodes leave it out
    if octets(text, f"transactionHash of {name}", 32) != hash_:
        raise InvalidNodeResponse(
            f"the node returned the receipt of another transaction when asked for that of {name}"
        )


def _check_fields(transaction: dict[str, Any], name: str) -> None:
    kind = transaction.get("type", "0x0")
    free = ("nonce",) if is_foreign(type_of(kind)) else ()  # what rollups receive need not have one
    for field in _OF_TRANSACTIONS:
        if transaction.get(field) is None and field not in free:
            raise InvalidNodeResponse(
                f"{name} (type {plain(kind, 10)}) has no field '{field}'; specminer does not know this kind of "
                "transaction, please report it with the name of the chain"
            )


def envelope_of(hash_: Hash, transaction: Any, receipt: Any, block: Block) -> Envelope:
    """Read a transaction and its receipt as a node returns them, of any type: unknown fields do not matter.

    Raises:
        TipChanged: the receipt is of another block than the one being read.
        InvalidNodeResponse: a field that every transaction has is missing or malformed.

    """
    if transaction is None:
        raise TipChanged("a transaction disappeared from the chain while it was read")
    name = f"transaction 0x{hash_.hex()}"
    if receipt is None:
        raise TipChanged(
            f"{name} has no receipt: its block was replaced while it was read, or the node keeps none"
        )
    if not isinstance(transaction, dict) or not isinstance(receipt, dict):
        raise InvalidNodeResponse(f"the node returned no {name}, or no receipt of it")
    kind = type_of(transaction.get("type", "0x0"))
    _check_fields(transaction, name)
    check_identity(hash_, transaction, receipt, block)
    if octets(receipt.get("blockHash"), f"blockHash of {name}", 32) != block.hash:
        raise TipChanged(f"{name} moved to another block while it was read")
    to, created, status = transaction.get("to"), receipt.get("contractAddress"), receipt.get("status")
    cumulative = receipt.get("cumulativeGasUsed")
    sender = Address(octets(transaction["from"], f"from of {name}", 20))
    receiver = Address(octets(to, f"to of {name}", 20)) if to else None
    contract = Address(octets(created, f"contractAddress of {name}", 20)) if created else None
    if contract == NO_ADDRESS:
        contract = None
    return Envelope(
        hash=hash_,
        block=block,
        index=small(transaction["transactionIndex"], f"transactionIndex of {name}"),
        sender=sender,
        # some nodes print the zero address as the receiver of a creation
        to=None if receiver == NO_ADDRESS and contract is not None else receiver,
        created=contract,
        value=quantity(transaction["value"], f"value of {name}"),
        gas=small(transaction["gas"], f"gas of {name}"),
        gas_used=small(receipt.get("gasUsed"), f"gasUsed of {name}"),
        block_gas_used=None if cumulative is None else small(cumulative, f"cumulativeGasUsed of {name}"),
        nonce=small(transaction.get("nonce") or "0x0", f"nonce of {name}"),
        data=octets(transaction["input"], f"input of {name}"),
        succeeded=None if status is None else quantity(status, f"status of {name}") == 1,
        logs=_logs(receipt, name),
        type=kind,
        of_system=is_of_system(kind, sender, receiver, _price(transaction)),
    )


def _price(transaction: dict[str, Any]) -> int | None:
    return _optional(transaction.get("gasPrice"), "gasPrice", quantity)


def check_identity(hash_: Hash, transaction: dict[str, Any], receipt: dict[str, Any], block: Block) -> None:
    """Check that a transaction and a receipt are those asked for, and of one block.

    Raises:
        InvalidNodeResponse: they are not.

    """
    name = f"transaction 0x{hash_.hex()}"
    _check_transaction_hash(hash_, transaction, name)
    _check_receipt_hash(hash_, receipt, name)
    for field, digits in (("blockHash", block.hash.hex()), ("blockNumber", hex(block.number)[2:])):
        value = transaction.get(field)
        if value is None or value == f"0x{digits}":
            continue
        if str(value).lower().removeprefix("0x").lstrip("0") != digits.lstrip("0"):
            raise TipChanged(f"{name} moved to another block while it was read")
    for field in ("transactionIndex", "from", "to"):
        of_transaction, of_receipt = transaction.get(field), receipt.get(field, transaction.get(field))
        if of_transaction != of_receipt and _comparable(of_transaction) != _comparable(of_receipt):
            raise InvalidNodeResponse(f"{name} and its receipt differ in '{field}'")


def _comparable(value: Any) -> Any:
    """Return a field in a form that does not depend on how a node writes it; nobody for the zero address."""
    if value is None or str(value) in ("", f"0x{NO_ADDRESS.hex()}"):
        return None
    text = str(value).lower()
    return text if len(text) > 18 or not text.startswith("0x") else text[2:].lstrip("0")


def _logs(receipt: dict[str, Any], name: str) -> tuple[ReceiptLog, ...] | None:
    """Read the log entries of a receipt; ``None`` where it has no list of them."""
    value = receipt.get("logs")
    check_logs_shown(receipt, name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidNodeResponse(f"the receipt of {name} has no list of logs")
    logs = []
    for log in value:
        topics = log.get("topics") if isinstance(log, dict) else None
        if not isinstance(topics, list):
            raise InvalidNodeResponse(f"the receipt of {name} has a malformed log")
        logs.append(
            ReceiptLog(
                Address(octets(log.get("address"), f"address of a log of {name}", 20)),
                tuple(octets(topic, f"topic of a log of {name}", 32) for topic in topics),
                octets(log.get("data") or "0x", f"data of a log of {name}"),
            )
        )
    return tuple(logs)
