"""Names of functions without an ABI: those of well-known contracts with the same selector and as many arguments."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

from specminer._support.keccak import keccak
from specminer.contracts.common_functions import TABLE, common_functions
from specminer.contracts.interface import from_code
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.store import TraceStore

_SIGNATURE = re.compile(r"[A-Za-z_$][\w$]*\([\w\[\](),]*\)", re.ASCII)


def code_of(name: str) -> bytes:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        return store.history(record.chain_id, [record.address]).contracts[0].code


def test_each_line_of_the_table_is_one_function_and_no_selector_is_two() -> None:
    lines = files("specminer.contracts").joinpath(TABLE).read_text("utf-8").splitlines()
    told = [line.split(" ") for line in lines if not line.startswith("#")]
    assert len(told) == len(common_functions()) > 400
    assert all(_SIGNATURE.fullmatch(signature) and len(rest) < 2 for signature, *rest in told)
    assert max(Counter(keccak(signature.encode())[:4] for signature, *_ in told).values()) == 1
    known = common_functions()[bytes.fromhex("a9059cbb")]
    assert (known.name, known.arguments) == ("transfer", ("to", "amount"))


def test_an_argument_that_is_an_amount_here_and_a_token_there_has_neither_name() -> None:
    arguments = {function.signature: function.arguments for function in common_functions().values()}
    assert arguments["transferFrom(address,address,uint256)"] == ("from", "to", "arg2")
    assert arguments["approve(address,uint256)"] == ("spender", "arg1")
    assert arguments["burn(uint256)"] == ("arg0",)
    assert arguments["withdraw(uint256)"] == ("amount",)
    assert arguments["safeTransferFrom(address,address,uint256)"] == ("from", "to", "tokenId")
    assert not any({"wad", "rawAmount", "amt"} & set(names) for names in arguments.values())


def test_a_token_without_an_abi_has_the_names_that_tokens_usually_have() -> None:
    interface = from_code([code_of("token")])
    transfer = interface.functions[bytes.fromhex("a9059cbb")]
    assert (transfer.name, transfer.types) == ("transfer", ("address", "uint256"))
    assert interface.functions[bytes.fromhex("70a08231")].read_only
    assert "are named as those of well-known contracts" in interface.source


def test_functions_of_nobody_else_keep_their_selectors() -> None:
    interface = from_code([code_of("tender")])
    assert any(function.name.startswith("0x") for function in interface.functions.values())


def test_a_function_with_other_arguments_is_another_one() -> None:
    # dispatches transfer's selector to a function that reads no argument
    code = bytes.fromhex("5f3560e01c63a9059cbb14600f575f5ffd5b00")
    function = from_code([code]).functions.get(bytes.fromhex("a9059cbb"))
    assert function is not None
    assert function.name == "0xa9059cbb"


def test_overloaded_functions_carry_their_types() -> None:
    interface = from_code([code_of("nft_market")])
    names = [function.name for function in interface.functions.values()]
    assert len(set(names)) == len(names)
