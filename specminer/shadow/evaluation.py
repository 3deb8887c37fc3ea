"""What an expression is worth, given what its sources held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from specminer.evm.arithmetic_instructions import HANDLERS
from specminer.evm.environment_instructions import hash_word
from specminer.evm.opcodes import Op
from specminer.shadow.arena import MASK, Arena, Inputs, Key, Part, operands_of


def _by_handler(opcode: int) -> Callable[..., int]:
    handler = HANDLERS[opcode]

    def compute(*operands: int) -> int:
        stack = list(reversed(operands))
        handler(stack, None, None)  # type: ignore[arg-type]  # arithmetic looks at nothing but the stack
        return stack[-1]

    return compute


_COMPUTED: Final[dict[str, Callable[..., int]]] = {
    **{
        opcode.name.lower(): _by_handler(opcode)
        for opcode in (
            *(
                Op.ADD,
                Op.MUL,
                Op.SUB,
                Op.DIV,
                Op.SDIV,
                Op.MOD,
                Op.SMOD,
                Op.ADDMOD,
                Op.MULMOD,
                Op.SIGNEXTEND,
                Op.LT,
            ),
            *(
                Op.SLT,
                Op.EQ,
                Op.ISZERO,
                Op.AND,
                Op.OR,
                Op.XOR,
                Op.NOT,
                Op.BYTE,
                Op.SHL,
                Op.SHR,
                Op.SAR,
                Op.CLZ,
            ),
        )
    },
    "exp": lambda base, power: pow(base, power, 1 << 256),
}


def evaluate(arena: Arena, node: int, inputs: Inputs) -> int:
    """Return the word that a node stands for.

    Raises:
        KeyError: it depends on something that ``inputs`` does not hold.

    """
    values: dict[int, int] = {}
    for item in _needed_nodes(arena, node, inputs):
        value = inputs.get(item)
        values[item] = _value(arena.key(item), values) if value is None else value
    return values[node]


def _needed_nodes(arena: Arena, node: int, inputs: Inputs) -> list[int]:
    """Return what has to be evaluated, operands first; what is below an input need not be."""
    nodes, left = {node}, [node]
    while left:
        item = left.pop()
        if item not in inputs:
            for operand in operands_of(arena.key(item)):
                if operand not in nodes:
                    nodes.add(operand)
                    left.append(operand)
    return sorted(nodes)


def _value(key: Key, values: dict[int, int]) -> int:
    kind = key[0]
    if kind == "constant":
        return int(key[1])
    if kind == "field":
        return int(values[key[1]] >> key[2] & ((1 << key[3]) - 1))
    if kind == "shifted":
        return int(values[key[1]] << key[2] & MASK)
    if kind == "join":
        return int.from_bytes(bytes_of(key[1], values), "big")
    if kind == "keccak":
        return hash_word(bytes_of(key[1], values))
    if kind not in _COMPUTED:
        raise KeyError(key)
    count = 3 if kind in ("addmod", "mulmod") else 1 if kind in ("iszero", "not", "clz") else 2
    return compute(kind, *(values[operand] for operand in key[1 : 1 + count]))


def compute(kind: str, *operands: int) -> int:
    """Return what an operation makes of words.

    Raises:
        KeyError: there is no operation of that kind.

    """
    return _COMPUTED[kind](*operands)


def bytes_of(parts: tuple[Part, ...], values: Inputs) -> bytes:
    """Return the bytes that parts stand for."""
    return b"".join(values[node].to_bytes(32, "big")[first : first + count] for node, first, count in parts)
