"""Recognises files that hold several contracts by their names, as tools other than compilers write them.

ape and ethPM (``contractTypes``), Synthetix (``sources``), bare tables of ABIs by name (Compound), and what
hardhat-deploy exports of all chains.
"""

from __future__ import annotations

from typing import Any, Final

_TABLES: Final = ("contractTypes", "contract_types", "sources")


def table_of_contracts(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with its contracts below ``contracts``, if it has a table of them; else the document."""
    for key in _TABLES:
        table = document.get(key)
        if isinstance(table, dict) and any(
            isinstance(item, dict) and "abi" in item for item in table.values()
        ):
            return {"contracts": table}
    if document and all(_is_abi(item) for item in document.values()):
        return {"contracts": {name: {"abi": item} for name, item in document.items()}}
    return document


def is_export_of_chains(document: Any) -> bool:
    """Whether this is hardhat-deploy's export of all chains: each with a list of networks that have contracts."""
    return (
        isinstance(document, dict)
        and bool(document)
        and all(
            key.isdecimal()
            and isinstance(item, list)
            and bool(item)
            and isinstance(item[0], dict)
            and isinstance(item[0].get("contracts"), dict)
            for key, item in document.items()
        )
    )


def _is_abi(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and isinstance(item.get("type"), str) for item in value)
    )
