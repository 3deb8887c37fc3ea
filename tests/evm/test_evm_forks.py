"""What the engine knows of forks agrees with the specification's own modules."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import ethereum.forks
import pytest
from ethereum_types.numeric import U64

from specminer._support.nesting import usual_recursion
from specminer.evm.environment_instructions import blob_price
from specminer.evm.forks import FORKS, static_costs


def _module(fork: str, path: str) -> object:
    with usual_recursion():
        return import_module(f"ethereum.forks.{fork}.{path}")


def test_no_fork_is_missing() -> None:
    folder = Path(ethereum.forks.__path__[0])
    assert set(FORKS) == {path.name for path in folder.iterdir() if (path / "vm").is_dir()}


@pytest.mark.parametrize("fork", FORKS)
def test_each_fork_has_its_opcodes_and_precompiled_contracts(fork: str) -> None:
    known = {op.value for op in _module(fork, "vm.instructions").Ops}  # type: ignore[attr-defined]
    assert FORKS[fork].opcodes == known
    assert {opcode for opcode, cost in enumerate(static_costs(FORKS[fork])) if cost >= 0} == known
    contracts = _module(fork, "vm.precompiled_contracts.mapping").PRE_COMPILED_CONTRACTS  # type: ignore[attr-defined]
    assert FORKS[fork].precompiles == {int.from_bytes(address, "big") for address in contracts}


@pytest.mark.parametrize("fork", ["cancun", "prague", "osaka", "bpo1", "bpo2"])
@pytest.mark.parametrize("excess", [0, 1, 10_000_000, 123_456_789])
def test_blob_prices(fork: str, excess: int) -> None:
    gas = _module(fork, "vm.gas")
    assert blob_price(FORKS[fork], excess) == int(gas.calculate_blob_gas_price(U64(excess)))  # type: ignore[attr-defined]
