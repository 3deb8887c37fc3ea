"""The rules of each fork as data: what opcodes cost, which exist, and where the forks differ otherwise.

Each fork is the one before it with some fields replaced, so that what a fork changed can be read off one line.
Source: the executable specification ``ethereum-execution`` 2.20, which is also the oracle in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from specminer.evm.opcodes import Op


class StorageRule(IntEnum):
    """How a write to storage is priced."""

    SIMPLE = 0
    """By the value before and the one after."""
    NET = 1
    """Also by the value at the transaction's start (EIP-2200)."""
    ACCESS_LIST = 2
    """The same with cold and warm slots (EIP-2929)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """One fork. Costs are in gas."""

    name: str
    number: int
    """0 for Frontier, 1 for Homestead, ..., in the order in which they came."""
    opcodes: frozenset[int]
    precompiles: frozenset[int]
    """Addresses of the precompiled contracts."""

    sload: int = 50
    balance: int = 20
    external_code: int = 20
    """EXTCODESIZE and EXTCODECOPY."""
    external_hash: int = 400
    call: int = 40
    selfdestruct: int = 0
    exponent_byte: int = 10
    storage_rule: StorageRule = StorageRule.SIMPLE
    clear_refund: int = 15_000
    selfdestruct_refund: int = 24_000
    refund_share: int = 2
    """At most one in so many units of gas is given back."""

    access_lists: bool = False
    """Cold and warm addresses and slots (EIP-2929)."""
    warm_coinbase: bool = False
    gas_share: bool = False
    """A call gets at most all but one 64th of the gas (EIP-150)."""
    empty_accounts: bool = True
    """Accounts that are called come to exist, even if they are empty."""
    clears_empty: bool = False
    """Empty accounts that were touched are removed at the end (EIP-161)."""
    new_account_by_value: bool = False
    """A new account costs only if ether goes to it, and an empty one is a new one (EIP-161)."""
    selfdestruct_new_account: bool = False
    selfdestruct_once: bool = False
    """Only contracts created in the same transaction are removed (EIP-6780)."""

    create_transaction: int = 32_000
    data_byte: int = 68
    """For a byte of calldata that is not zero."""
    deposit_may_fail: bool = False
    """A creation that cannot pay for its code makes a contract without code (Frontier)."""
    first_nonce: int = 0
    """The nonce of a new contract."""
    max_code: int | None = None
    max_init_code: int | None = None
    init_code_word: int = 0
    rejects_ef: bool = False
    """New code must not begin with 0xEF (EIP-3541)."""
    calldata_floor: bool = False
    """A transaction pays a least price for its calldata (EIP-7623)."""
    delegations: bool = False
    """Accounts may delegate to code (EIP-7702)."""

    curve_costs: tuple[int, int, int, int] = (500, 40_000, 100_000, 80_000)
    """Addition, multiplication, pairing and each pair on alt_bn128."""
    modexp_rule: int = 0
    """0: EIP-198, 1: EIP-2565, 2: EIP-7883."""
    blob_fraction: int = 3_338_477
    """How fast the blob base fee follows the excess of blob gas."""


_FIRST: Final = frozenset(
    {
        *range(0x0C),
        *range(0x10, 0x1B),
        0x20,
        *range(0x30, 0x3D),
        *range(0x40, 0x46),
        *range(0x50, 0x5C),
        *range(0x60, 0xA5),
        *(Op.CREATE, Op.CALL, Op.CALLCODE, Op.RETURN, Op.SELFDESTRUCT),
    }
)


def _forks() -> tuple[Fork, ...]:
    forks = [
        Fork(
            name="frontier",
            number=0,
            opcodes=_FIRST,
            precompiles=frozenset({1, 2, 3, 4}),
            create_transaction=0,
            deposit_may_fail=True,
        )
    ]

    def add(
        name: str, opcodes: Iterable[int] = (), precompiles: Iterable[int] = (), **changes: object
    ) -> None:
        last = forks[-1]
        forks.append(
            replace(
                last,
                name=name,
                number=last.number + 1,
                opcodes=last.opcodes | frozenset(opcodes),
                precompiles=last.precompiles | frozenset(precompiles),
                **changes,  # type: ignore[arg-type]  # names of fields, checked by replace
            )
        )

    add("homestead", [Op.DELEGATECALL], create_transaction=32_000, deposit_may_fail=False)
    add("dao_fork")
    add(
        "tangerine_whistle",
        sload=200,
        balance=400,
        external_code=700,
        call=700,
        selfdestruct=5_000,
        gas_share=True,
        selfdestruct_new_account=True,
    )
    add(
        "spurious_dragon",
        exponent_byte=50,
        clears_empty=True,
        new_account_by_value=True,
        first_nonce=1,
        max_code=0x6000,
    )
    add(
        "byzantium",
        [Op.RETURNDATASIZE, Op.RETURNDATACOPY, Op.STATICCALL, Op.REVERT],
        [5, 6, 7, 8],
    )
    add("constantinople", [Op.SHL, Op.SHR, Op.SAR, Op.EXTCODEHASH, Op.CREATE2])
    add(
        "istanbul",
        [Op.CHAINID, Op.SELFBALANCE],
        [9],
        sload=800,
        balance=700,
        external_hash=700,
        storage_rule=StorageRule.NET,
        data_byte=16,
        curve_costs=(150, 6_000, 45_000, 34_000),
    )
    add("muir_glacier")
    add(
        "berlin",
        access_lists=True,
        sload=100,
        balance=100,
        external_code=100,
        external_hash=100,
        call=100,
        storage_rule=StorageRule.ACCESS_LIST,
        modexp_rule=1,
    )
    add("london", [Op.BASEFEE], clear_refund=4_800, selfdestruct_refund=0, refund_share=5, rejects_ef=True)
    add("arrow_glacier")
    add("gray_glacier")
    add("paris", empty_accounts=False, clears_empty=False)
    add("shanghai", [Op.PUSH0], warm_coinbase=True, max_init_code=0xC000, init_code_word=2)
    add("cancun", [Op.TLOAD, Op.TSTORE, Op.MCOPY, Op.BLOBHASH, Op.BLOBBASEFEE], [10], selfdestruct_once=True)
    add("prague", [], range(11, 18), calldata_floor=True, delegations=True, blob_fraction=5_007_716)
    add("osaka", [Op.CLZ], [0x100], modexp_rule=2)
    add("bpo1", blob_fraction=8_346_193)
    add("bpo2", blob_fraction=11_684_671)
    return tuple(forks)


FORKS: Final = {fork.name: fork for fork in _forks()}
"""Every fork by its name, the oldest first. Forks named ``bpo`` change only what blobs cost."""

COLD_ACCOUNT: Final = 2_500
"""What a cold address costs on top of a warm one."""
COLD_SLOT: Final = 2_000
"""What reading a cold slot costs on top of a warm one."""
STORAGE_SET: Final = 20_000
STORAGE_UPDATE: Final = 5_000
STIPEND: Final = 2_300
"""Gas that a call with ether gets for nothing."""
CALL_VALUE: Final = 9_000
NEW_ACCOUNT: Final = 25_000
CODE_BYTE: Final = 200
"""For each byte of a new contract's code."""
CREATE: Final = 32_000
WORD_COPY: Final = 3
WORD_HASH: Final = 6
LOG_BYTE: Final = 8

_BY_COST: Final = {
    0: "STOP RETURN REVERT SSTORE",
    1: "JUMPDEST",
    2: "ADDRESS ORIGIN CALLER CALLVALUE CALLDATASIZE CODESIZE GASPRICE RETURNDATASIZE COINBASE TIMESTAMP NUMBER "
    "PREVRANDAO GASLIMIT CHAINID BASEFEE BLOBBASEFEE POP PC MSIZE GAS PUSH0",
    3: "ADD SUB LT GT SLT SGT EQ ISZERO AND OR XOR NOT BYTE SHL SHR SAR CALLDATALOAD CALLDATACOPY CODECOPY "
    "RETURNDATACOPY MLOAD MSTORE MSTORE8 MCOPY BLOBHASH",
    5: "MUL DIV SDIV MOD SMOD SIGNEXTEND CLZ SELFBALANCE",
    8: "ADDMOD MULMOD JUMP",
    10: "EXP JUMPI",
    20: "BLOCKHASH",
    30: "KECCAK256",
    100: "TLOAD TSTORE",
    375: "LOG0",
    750: "LOG1",
    1_125: "LOG2",
    1_500: "LOG3",
    1_875: "LOG4",
    CREATE: "CREATE CREATE2",
}


def static_costs(fork: Fork) -> tuple[int, ...]:
    """Return what each opcode costs whatever its operands are; -1 for one that the fork does not know."""
    costs = [-1] * 256
    for cost, names in _BY_COST.items():
        for name in names.split():
            costs[Op[name]] = cost
    for opcode in range(Op.PUSH1, Op.SWAP16 + 1):
        costs[opcode] = 3
    for opcode, cost in (
        (Op.SLOAD, fork.sload),
        (Op.BALANCE, fork.balance),
        (Op.EXTCODESIZE, fork.external_code),
        (Op.EXTCODECOPY, fork.external_code),
        (Op.EXTCODEHASH, fork.external_hash),
        (Op.SELFDESTRUCT, fork.selfdestruct),
        *((opcode, fork.call) for opcode in (Op.CALL, Op.CALLCODE, Op.DELEGATECALL, Op.STATICCALL)),
    ):
        costs[opcode] = cost
    return tuple(cost if opcode in fork.opcodes else -1 for opcode, cost in enumerate(costs))
