"""What a node says of its chain: its id, its blocks, since when a contract has code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from specminer._support.errors import (
    ChainError,
    InvalidNodeResponse,
    NodeNeed,
    NodeRefused,
    NodeUnreachable,
    NotOnChain,
    UsageError,
)
from specminer.history.trace import Address, Block
from specminer.sources.emptiness import confirm_empty
from specminer.sources.envelopes import block_of
from specminer.sources.lookahead import in_parallel
from specminer.sources.node import Node, Request, octets, quantity, result_of

DEVELOPMENT_CHAINS: Final = frozenset({1337, 31337})
"""Their newest block counts as final: blocks 64 back may not exist, and nobody reorganises in earnest."""
HEADS: Final = 8
"""How often the newest block is asked for; the furthest answer counts, because servers behind a balancer lag."""
SECTIONS: Final = 32
"""Parts into which a range of blocks is cut when something is searched in it: their ends are asked for at once."""
PROBES: Final = 6
"""How often a block is asked for, where it may well not be there."""


def check_ends(
    node: Node,
    expected: int | None,
    note: Callable[[str], None] = lambda _text: None,
    *,
    likely: int | None = None,
) -> tuple[int, Block, Block]:
    """Return the chain id, the newest usable block and the oldest one, asked for at the same time where that is safe.

    ``likely`` is the chain that it most probably is: of an unknown one the newest block is asked for in both ways. See
    :func:`check_chain`, :func:`newest_block` and :func:`oldest_block`.

    Raises:
        NotOnChain: the node serves another chain than ``expected``, or its endpoints serve several.
        ChainError: no endpoint answers, or there is no block.

    """
    if len(node.endpoints) > 1 or node.confirmations is not None:
        chain_id = check_chain(node, expected, note)
        head, oldest = in_parallel(lambda: newest_block(node, chain_id), lambda: oldest_block(node))
        return chain_id, head, oldest
    guess = likely if expected is None else expected
    (chain_id, oldest), heads = in_parallel(
        lambda: in_parallel(lambda: check_chain(node, expected, note), lambda: oldest_block(node)),
        lambda: _glance(node, ("latest", "finalized") if guess is None else (_usable_tag(guess),)),
    )
    newest = heads.get(_usable_tag(chain_id))
    return chain_id, newest or newest_block(node, chain_id), oldest


def _usable_tag(chain_id: int) -> str:
    return "latest" if chain_id in DEVELOPMENT_CHAINS else "finalized"


def _glance(node: Node, tags: Sequence[str]) -> dict[str, Block | None]:
    """Return the furthest block of each tag; ``None`` for those that cannot be had at once."""
    answers = node.each(
        [("eth_getBlockByNumber", (tag, False)) for tag in tags for _ in range(HEADS)], patience=0
    )
    return {tag: _furthest(tag, answers[HEADS * row : HEADS * (row + 1)]) for row, tag in enumerate(tags)}


def _furthest(tag: str, answers: Sequence[Any]) -> Block | None:
    """Return the furthest of the blocks in some answers; ``None`` if there is none."""
    blocks: list[Block] = []
    for answer in answers:
        try:
            blocks.append(read_block(result_of(answer), tag))
        except (NodeRefused, InvalidNodeResponse, NotOnChain):
            continue
    return max(blocks, key=lambda block: block.number, default=None)


def check_chain(node: Node, expected: int | None, note: Callable[[str], None] = lambda _text: None) -> int:
    """Return the chain id, which all endpoints of the node share.

    An endpoint that does not answer is not asked any more, and ``note`` hears of it.

    Raises:
        NotOnChain: the node serves another chain than ``expected``, or its endpoints serve several.
        ChainError: no endpoint answers.

    """
    if len(node.endpoints) > 1:
        _check_endpoints(node, note)
    chain_id = node.read_one(("eth_chainId", ()), lambda result: quantity(result, "chain id"))
    if expected is not None and chain_id != expected:
        raise NotOnChain(
            f"{node.endpoint.label} serves chain {chain_id}, but chain {expected} was asked for; use a node "
            f"of chain {expected} or drop --chain-id"
        )
    return chain_id


def _check_endpoints(node: Node, note: Callable[[str], None]) -> None:
    first: tuple[str, int] | None = None
    failure: ChainError | None = None
    for number, endpoint in enumerate(node.endpoints):
        try:
            chain_id = quantity(node.call("eth_chainId", only=number), "chain id")
        except (NodeUnreachable, NodeRefused, InvalidNodeResponse) as error:
            node.exclude(number)
            note(f"{endpoint.label} is left out: {error}")
            failure = error
            continue
        if first is None:
            first = endpoint.label, chain_id
        elif first[1] != chain_id:
            raise NotOnChain(
                f"{first[0]} serves chain {first[1]}, but {endpoint.label} serves chain {chain_id}: all --rpc have to "
                "be of one chain"
            )
    if first is None and failure is not None:
        raise failure


def oldest_block(node: Node) -> Block:
    """Return the oldest block that the node holds: block 0, or where its chain begins.

    A fork, a node that prunes old blocks and a development node may begin later. What comes after the oldest block is
    taken to be there.

    Raises:
        ChainError: it holds no block.

    """
    try:
        return block_at(node, 0)
    except (NotOnChain, NodeRefused):
        newest = head_block(node, "latest")
    low, high = 1, newest
    while low < high.number:
        middle = (low + high.number) // 2
        try:
            high = block_at(node, middle, tries=PROBES)
        except (NotOnChain, NodeRefused):
            low = middle + 1
    return high


def head_block(node: Node, tag: str) -> Block:
    """Return the block with a tag such as ``latest``, the furthest of several answers.

    Raises:
        ChainError: there is none.

    """
    answers = node.each([("eth_getBlockByNumber", (tag, False))] * HEADS)
    return _furthest(tag, answers) or block_at(node, tag)


def block_at(node: Node, number: int | str, *, tries: int | None = None) -> Block:
    """Return the block with this number or tag, asked for at most ``tries`` times.

    Raises:
        NotOnChain: there is none.

    """
    tag = hex(number) if isinstance(number, int) else number
    return node.read_one(
        ("eth_getBlockByNumber", (tag, False)), lambda result: read_block(result, number), tries=tries
    )


def read_block(answer: Any, number: int | str) -> Block:
    """Read a block.

    Raises:
        NotOnChain: there is none.
        InvalidNodeResponse: it is another one.

    """
    if answer is None and isinstance(number, str):
        raise NotOnChain(f"the node knows no {number} block; wait until it is synchronised, or use another")
    if answer is None:
        raise NotOnChain(f"the node has no block {number}")
    block = block_of(answer)
    if isinstance(number, int) and block.number != number:
        raise InvalidNodeResponse(f"the node returned block {block.number} when asked for block {number}")
    return block


def newest_block(node: Node, chain_id: int) -> Block:
    """Return the newest finalized block; on development chains, and where finality is unknown, the latest.

    If the node is asked for blocks with so many confirmations, it is the newest one on which so many others stand.
    """
    if node.confirmations is not None:
        latest = head_block(node, "latest")
        return block_at(node, max(0, latest.number - node.confirmations)) if node.confirmations else latest
    if chain_id not in DEVELOPMENT_CHAINS:
        try:
            return head_block(node, "finalized")
        except (NodeRefused, NotOnChain):
            pass
    return head_block(node, "latest")


def code_at(node: Node, contract: Address, block: int | str) -> bytes:
    """Return the runtime code of the contract after the block; empty if it has none, which is asked several times."""
    tag = hex(block) if isinstance(block, int) else block
    request: Request = ("eth_getCode", (f"0x{contract.hex()}", tag))
    return node.read_one(request, _read_code) or _look_for_code(node, request)


def _look_for_code(node: Node, request: Request) -> bytes:
    """Return code that a request shows at least once if it is asked several times."""
    nothing: bytes = b""
    return confirm_empty(node, request, _read_code, nothing)


def _read_code(answer: Any) -> bytes:
    return octets(answer, "code")


def code_of(node: Node, contract: Address, block: int, answer: Any) -> bytes:
    """Return the code in an answer among others; it is asked for again, alone, if that is malformed or empty.

    Raises:
        NodeRefused: the answer is a refusal, or the node refuses it alone.

    """
    try:
        code = _read_code(result_of(answer))
    except InvalidNodeResponse:
        code = b""
    return code or code_at(node, contract, block)


def _codes_at(node: Node, contract: Address, numbers: Sequence[int]) -> list[bytes | NodeRefused]:
    """Return the code of a contract after some blocks, asked for at the same time."""
    requests = [("eth_getCode", (f"0x{contract.hex()}", hex(number))) for number in numbers]
    codes: list[bytes | NodeRefused] = []
    for number, answer in zip(numbers, node.each(requests), strict=True):
        try:
            codes.append(answer if isinstance(answer, NodeRefused) else _read_code(answer))
        except InvalidNodeResponse:
            codes.append(code_at(node, contract, number))
    return codes


def creation_block(node: Node, contract: Address, head: int, oldest: int = 0) -> int:
    """Return the block that created the contract, searched for over its code from the block ``oldest`` on.

    If the contract is older than that block, it is that block.

    Raises:
        NotOnChain: there is no code at ``head``.
        NodeRefused: the node keeps no state that is old enough; it needs an archive, or the caller a first block.

    """
    code, (low, refused) = in_parallel(
        lambda: code_at(node, contract, head), lambda: _first_with_code(node, contract, oldest, head)
    )
    if not code:
        if code_at(node, contract, "latest"):
            raise NotOnChain(
                f"the contract at 0x{contract.hex()} was created after block {head}, the last to be read; wait "
                "until its creation is final, or give a later --to-block"
            )
        raise NotOnChain(
            f"there is no contract at 0x{contract.hex()} on this chain (no code at block {head}); check the "
            "address and the chain, and if the contract destroyed itself give --from-block and --to-block"
        )
    while True:
        if refused is not None:
            reason = refused.values.get("said", refused.message)
            raise NodeRefused(
                f"the block that created the contract cannot be found: {node.endpoint.label} keeps no state before "
                f"block {low} ({reason}); use an archive node (on anvil, --max-persisted-states and no "
                "--prune-history), or give --from-block",
                code=refused.code,
                need=NodeNeed.ARCHIVE,
            )
        before: Request = ("eth_getCode", (f"0x{contract.hex()}", hex(low - 1)))
        if low == oldest or not _look_for_code(node, before):
            return low
        # an answer was empty that should not have been
        low, refused = _first_with_code(node, contract, oldest, low - 1)


def _first_with_code(
    node: Node, contract: Address, oldest: int, newest: int
) -> tuple[int, NodeRefused | None]:
    """Search for the block from which on a contract has code, if it has some after the block ``newest``.

    With it comes why the node does not tell the state just before that block, if it refuses to.
    """
    low, high = oldest, newest
    refused: tuple[int, NodeRefused] | None = None
    while low < high:
        step = (high - low) // SECTIONS + 1
        probes = range(low + step - 1, high, step)
        for number, code in zip(probes, _codes_at(node, contract, probes), strict=True):
            if code and not isinstance(code, NodeRefused):
                high = number
                break
            if isinstance(code, NodeRefused):  # what the node forgot lies before what it keeps
                refused = number, code
            low = number + 1
    return low, refused[1] if refused is not None and refused[0] == low - 1 else None


def check_range(first: int, last: int, newest: int) -> None:
    """Check a range of blocks against the chain.

    Raises:
        UsageError: it is empty, or lies behind the newest block.

    """
    if first > last:
        raise UsageError(f"the range of blocks is empty: it would begin at {first} and end at {last}")
    if last > newest:
        raise UsageError(f"--to-block {last} lies beyond the newest usable block, {newest}")
