"""What the arguments of a constructor are called."""

from __future__ import annotations

import pytest

from specminer.contracts.artifact import AbiEntry, Artifact, Parameter
from specminer.contracts.interface import constructor_of


def artifact(*types: str) -> Artifact:
    inputs = tuple(Parameter(type=kind, name=f"_{row}") for row, kind in enumerate(types))
    return Artifact(name=None, abi=(AbiEntry(type="constructor", inputs=inputs),), storage_layout=None)


def test_arguments_with_a_fixed_place_have_the_names_of_the_abi() -> None:
    found = constructor_of(artifact("address", "uint256[2]", "bytes32"))
    assert found is not None
    assert found[0].arguments == ("_0", "_1", "_2")
    assert found[0].signature == "constructor(address,uint256[2],bytes32)"


@pytest.mark.parametrize("kind", ["bytes", "string", "uint256[]", "bytes[2]", "string[3][1]"])
def test_where_others_stand_is_not_told(kind: str) -> None:
    assert constructor_of(artifact("address", kind)) is None


def test_an_abi_without_a_constructor_has_none() -> None:
    assert constructor_of(Artifact(name=None, abi=(), storage_layout=None)) is None
