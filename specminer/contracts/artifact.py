"""Reads what a compiler says of a contract: ABI and storage layout, from the files people have.

Understood are a plain ABI (a JSON list); artifacts of Foundry, Hardhat (with the storage layout from the build
info beside them) and Truffle; the whole output of solc or Vyper (standard JSON, combined JSON, a build info), where
``FILE:CONTRACT`` says which contract is meant; Sourcify's answers and ``metadata.json``; and a storage layout alone,
as ``forge inspect`` and ``vyper -f layout`` print it; lists of several contracts of other tools
(:mod:`.contract_tables`); human-readable ABIs (:mod:`.readable_abi`), and modules (:mod:`.abi_module`). All of it may
come from a stranger: names are kept as they are and are escaped wherever they are shown; what is malformed is refused
with the place named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from specminer._support.encoding import to_utf8
from specminer._support.errors import FileFormatError, plain
from specminer._support.files import read_bounded
from specminer._support.nesting import check_nesting
from specminer.contracts.abi_module import AbiModuleError, from_module
from specminer.contracts.contract_tables import is_export_of_chains, table_of_contracts
from specminer.contracts.enum_members import enum_members
from specminer.contracts.forge_table import ForgeTableError, from_forge_table, is_forge_table
from specminer.contracts.readable_abi import ReadableAbiError, from_readable_abi, is_readable_abi
from specminer.contracts.vyper_layout import VyperLayoutError, from_vyper, is_vyper

MAX_BYTES: Final = 64 << 20
"""A larger file is no artifact."""
_NOUN: Final = "an ABI"
MAX_NAME: Final = 200
"""Characters of a function's or variable's name; longer ones are cut."""
MAX_DEPTH: Final = 32
"""Tuples inside each other at most."""
_VERSIONS: Final = "specminerVersions"
_RUNTIME: Final = "deployedBytecode"
MAX_VERSIONS: Final = 500
"""ABIs of one contract at most."""
_ALIASES: Final = {
    "uint": "uint256",
    "int": "int256",
    "fixed": "fixed128x18",
    "ufixed": "ufixed128x18",
    "byte": "bytes1",
    "address payable": "address",
}
"""What people write by hand in place of the types that selectors are made of."""
_MODULES: Final = frozenset({".js", ".cjs", ".mjs", ".ts", ".mts"})
_SOURCES: Final = frozenset({".vy", ".vyi", ".sol"})
_TYPE: Final = re.compile(r"([^\[\]]*)((?:\[[0-9]*\])*)", re.ASCII)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One argument or result, as in the ABI's JSON."""

    type: str
    name: str = ""
    components: tuple[Parameter, ...] = ()
    indexed: bool = False
    internal_type: str | msgspec.UnsetType | None = msgspec.field(name="internalType", default=msgspec.UNSET)
    """How the source spells the type (``enum Shop.Phase``), if the compiler says so."""

    @property
    def is_enum(self) -> bool:
        """Whether it is one value of an enum."""
        return bool(self.enum)

    @property
    def enum(self) -> str:
        """The enum's name as the compiler spells it, ``Shop.Phase``; empty for all else."""
        spelling = self.internal_type
        single = isinstance(spelling, str) and spelling.startswith("enum ") and not spelling.endswith("]")
        return str(spelling).removeprefix("enum ") if single else ""


class AbiEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One entry of an ABI: a function, a constructor, an event or an error."""

    type: str = "function"
    name: str = ""
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()
    state_mutability: str | None = None
    anonymous: bool = False
    constant: bool = False
    """How compilers before 0.4.16 said ``view``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An ABI, with the storage layout where the file has one."""

    name: str | None
    """The contract's name where the file gives it."""
    abi: tuple[AbiEntry, ...]
    """Empty where only a storage layout was given."""
    storage_layout: dict[str, Any] | None
    """As solc prints it: ``{"storage": [...], "types": {...}}``; Vyper's is brought into this form."""
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The members of enums that the file tells, by the enum's name as the compiler spells it (``Shop.Phase``)."""
    runtime: bytes = b""
    """The runtime code as it was compiled, where the file has it: it tells apart what has the same functions."""
    versions: tuple[Artifact, ...] = ()
    """What several files say, one by one, where this puts them together: a proxy's implementations, facets."""

    def to_json(self) -> bytes:
        """Return the artifact as canonical JSON, for the database; :func:`parse` reads it."""
        return msgspec.json.encode(self._document(), order="sorted")

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "contractName": self.name,
            "abi": self.abi,
            "storageLayout": self.storage_layout,
        }
        if self.enums:
            document["enums"] = self.enums
        if self.versions:
            document[_VERSIONS] = [
                item._document() | {_RUNTIME: f"0x{item.runtime.hex()}"} for item in self.versions
            ]
        return document


def load(path: Path) -> Artifact:
    """Read an artifact from a file; ``FILE:CONTRACT`` chooses one of several contracts in it.

    A Hardhat artifact has no storage layout: it is taken from the build info that belongs to it.

    Raises:
        FileFormatError: unreadable, too large, not JSON, or without a usable ABI or layout.

    """
    contract = None
    head, colon, tail = path.name.rpartition(":")
    if colon and head and not path.exists():
        path, contract = path.with_name(head), tail
    artifact = _artifact(_decode_json(read_bounded(path, MAX_BYTES, _NOUN), str(path)), str(path), contract)
    if artifact.storage_layout is None and path.suffix == ".json":
        layout = _hardhat_layout(path)
        if layout is not None:
            return replace(artifact, storage_layout=layout)
    return artifact


def parse(text: bytes, origin: str) -> Artifact:
    """Read an artifact from JSON; ``origin`` names it in messages.

    Raises:
        FileFormatError: not JSON, or without a usable ABI or layout.

    """
    return _artifact(_decode_json(text, origin), origin, None)


def parse_stored(text: bytes | None) -> Artifact | None:
    """Read an artifact that a database holds; ``None`` if there is none, or none that can be read."""
    if text is None:
        return None
    try:
        return parse(text, "the stored artifact")
    except FileFormatError:
        return None


def _decode_json(text: bytes, origin: str) -> Any:
    try:
        text = to_utf8(text)
        if text.lstrip()[:1] not in (b"{", b"["):
            readable = text.decode()
            if is_forge_table(readable):
                return from_forge_table(readable)
            if PurePosixPath(origin).suffix in _MODULES:
                return from_module(readable)
        check_nesting(text)
        return msgspec.json.decode(text)
    except ForgeTableError as error:
        raise FileFormatError(
            f"{plain(origin)}: the table of forge cannot be read: {plain(error)}; "
            "`forge inspect CONTRACT storageLayout --json` prints the same as JSON"
        ) from None
    except AbiModuleError as error:
        raise FileFormatError(
            f"{plain(origin)}: no ABI was found in the module: {plain(error, 300)}"
        ) from None
    except (msgspec.DecodeError, ValueError) as error:
        raise FileFormatError(f"{plain(origin)} is not JSON: {plain(error)}") from None


def _unwrap(document: Any, origin: str) -> Any:
    """Return what an explorer's answer, or JSON inside a text, holds.

    Raises:
        FileFormatError: the explorer refused, or the text inside is not JSON.

    """
    if isinstance(document, dict) and "result" in document and {"status", "message"} & document.keys():
        answer = document["result"]
        refused = str(document.get("status", "1")) == "0"
        if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], dict):
            source = answer[0]  # of getsourcecode
            if "ABI" in source:
                document, answer = {"contractName": source.get("ContractName")}, source["ABI"]
                document["SourceCode"] = source.get("SourceCode")
        if refused or (isinstance(answer, str) and answer.lstrip()[:1] not in ("[", "{")):
            refusal = answer if isinstance(answer, str) and answer else document.get("message") or "nothing"
            raise FileFormatError(
                f"{plain(origin)} holds an explorer's refusal in place of an ABI: {plain(refusal, 160)}; "
                "take the ABI from the compiler, or leave --abi out"
            )
        inner = _unwrap(answer, origin) if not isinstance(answer, dict) else answer
        name = document.get("contractName")
        described = {"contractName": name, "abi": inner, "SourceCode": document.get("SourceCode")}
        return described if isinstance(inner, list) else inner
    if isinstance(document, dict) and isinstance(
        document.get("abi"), str
    ):  # old compilers and some explorers
        return document | {"abi": _decode_json(document["abi"].encode("utf-8", "surrogatepass"), origin)}
    if isinstance(document, str):
        return _decode_json(document.encode("utf-8", "surrogatepass"), origin)
    return document


def _artifact(document: Any, origin: str, contract: str | None) -> Artifact:
    label = plain(origin)
    document = _unwrap(document, origin)
    if is_export_of_chains(document):
        document = next(iter(document.values()))[0]
    if isinstance(document, list):
        document = {"abi": document}
    enums = enum_members(document)
    if isinstance(document, dict):
        document = _select_contract(document, label, contract)
        document = _unwrap(document, origin)
    layout = _layout(document)
    if not isinstance(document, dict) or (document.get("abi") is None and layout is None):
        raise FileFormatError(
            f"{label} holds no ABI; expected a JSON list, or an object with a key 'abi' as Foundry, Hardhat, "
            "Truffle, solc, Vyper and Sourcify write it"
        )
    entries = document.get("abi")
    abi = _abi([] if entries is None else entries, label)
    if layout is not None and is_vyper(layout):
        try:
            layout = from_vyper(layout, _structs(abi))
        except VyperLayoutError as error:
            raise FileFormatError(f"{label}: the storage layout is malformed: {error}") from None
    return Artifact(
        name=_contract_name(document.get("contractName")),
        abi=abi,
        storage_layout=layout if layout is not None and layout.get("storage") else None,
        enums=enums,
        runtime=_runtime(document),
        versions=_versions(document, origin),
    )


def _versions(document: dict[str, Any], origin: str) -> tuple[Artifact, ...]:
    """Return the ABIs that were put together, as the database keeps them."""
    items = document.get(_VERSIONS)
    if not isinstance(items, list):
        return ()
    return tuple(
        _artifact({key: value for key, value in item.items() if key != _VERSIONS}, origin, None)
        for item in items[:MAX_VERSIONS]
        if isinstance(item, dict)
    )


def _runtime(document: dict[str, Any]) -> bytes:
    """Return the runtime code that a compiler's description has; nothing where libraries are still to be linked."""
    evm = document.get("evm")
    code: Any = document.get(_RUNTIME) or (evm.get(_RUNTIME) if isinstance(evm, dict) else None)
    code = code.get("object") if isinstance(code, dict) else code
    if not isinstance(code, str):
        return b""
    try:
        return bytes.fromhex(code.removeprefix("0x"))
    except ValueError:
        return b""


def _contract_name(value: Any) -> str | None:
    """Return a contract's name; of the path of a source, which Vyper's output has, the file without its suffix."""
    if not isinstance(value, str):
        return None
    name = PurePosixPath(value.replace("\\", "/"))
    return (name.stem if name.suffix in _SOURCES or "/" in str(name) else value)[:MAX_NAME] or None


def _abi(document: Any, label: str) -> tuple[AbiEntry, ...]:
    try:
        if is_readable_abi(document):
            document = from_readable_abi(document)
        abi = msgspec.convert(_tidy(document), tuple[AbiEntry, ...])
    except ReadableAbiError as error:
        raise FileFormatError(f"{label}: the ABI is malformed: {plain(error)}") from None
    except msgspec.ValidationError as error:
        raise FileFormatError(f"{label}: the ABI is malformed: {plain(error)}") from None
    for row, entry in enumerate(abi):
        if max(map(_depth, (*entry.inputs, *entry.outputs)), default=0) > MAX_DEPTH:
            raise FileFormatError(f"{label}: the ABI's entry {row} nests tuples deeper than {MAX_DEPTH}")
        if entry.type in ("function", "event", "error") and not entry.name:
            raise FileFormatError(f"{label}: the ABI's entry {row} ({plain(entry.type, 20)}) has no name")
    return abi


def _tidy(value: Any) -> Any:
    """Return a part of an ABI without fields that are null (as Go prints absent ones), its types spelled out."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _spell_type(item) if key == "type" and isinstance(item, str) else _tidy(item)
        for key, item in value.items()
        if item is not None
    }


def _spell_type(kind: str) -> str:
    """Return a type as selectors spell it: ``uint[]`` is ``uint256[]``; a contract is an address."""
    match = _TYPE.fullmatch(kind.strip())
    if match is None:
        return kind
    base, arrays = match[1].strip(), match[2]
    if base.startswith("contract "):
        base = "address"
    elif base.startswith("enum "):
        base = "uint8"
    elif base.startswith("struct "):
        base = "tuple"
    return _ALIASES.get(base, base) + arrays


def _layout(document: Any) -> dict[str, Any] | None:
    """Return the storage layout in a contract's description, or that the document is; solc's form or Vyper's."""
    if not isinstance(document, dict):
        return None
    for key in ("storageLayout", "layout"):
        if isinstance(document.get(key), dict):
            layout: dict[str, Any] = _unset(document[key])
            return layout
    alone = isinstance(document.get("storage"), list) and "types" in document
    return _unset(document) if alone or (document and is_vyper(document)) else None


def _unset(value: Any) -> Any:
    """Return a part of a layout without fields that are null."""
    if isinstance(value, list):
        return [_unset(item) for item in value]
    if isinstance(value, dict):
        return {key: _unset(item) for key, item in value.items() if item is not None}
    return value


def _select_contract(document: dict[str, Any], label: str, contract: str | None) -> dict[str, Any]:
    """Return one contract's description, with its ABI and layout at the top."""
    inner = (
        document.get(key) for key in ("output", "compilerOutput")
    )  # the latter is how 0x's tools write it
    table: dict[str, Any] = next((item for item in inner if isinstance(item, dict)), document)
    if "abi" not in document and isinstance(document.get("abiDefinition"), list):  # Embark
        return document | {"abi": document["abiDefinition"], "contractName": document.get("className")}
    if table is document and not isinstance(document.get("contracts"), dict):
        table = table_of_contracts(document)
    target = _target(document)
    if table is not document and "abi" in table and "abi" not in document:  # Solidity's metadata.json
        return {**table, "contractName": target or document.get("contractName")}
    if "abi" in document or not (isinstance(table.get("contracts"), dict) or _is_combined(document)):
        return document if target is None else {"contractName": target} | document
    by_key = dict(_contracts(table.get("contracts") or document))
    candidates = {
        key: item for key, item in by_key.items() if contract in (None, key, key.rpartition(":")[2])
    }
    if contract is None:  # interfaces and abstract contracts were deployed nowhere
        candidates = {key: item for key, item in candidates.items() if _has_code(item)} or candidates
    if len(candidates) != 1:
        names = ", ".join(plain(key, 60) for key in sorted(candidates or by_key)[:10])
        raise FileFormatError(
            f"{label} describes {'several contracts' if candidates else 'no such contract'}: {names or 'none'}; "
            "say which: FILE:CONTRACT"
        )
    ((key, item),) = candidates.items()
    return item | {"contractName": key.rpartition(":")[2] or key}


def _target(document: dict[str, Any]) -> str | None:
    """Return the contract's name as Sourcify and the compiler's metadata have it."""
    compilation, settings = document.get("compilation"), document.get("settings")
    if isinstance(compilation, dict) and isinstance(compilation.get("name"), str):
        name: str = compilation["name"]
        return name
    target = settings.get("compilationTarget") if isinstance(settings, dict) else None
    names = [name for name in target.values() if isinstance(name, str)] if isinstance(target, dict) else []
    return names[0] if len(names) == 1 else None


def _is_combined(document: dict[str, Any]) -> bool:
    """Whether this is Vyper's combined JSON: contracts by file, beside the version."""
    return "version" in document and any(
        isinstance(item, dict) and "abi" in item for item in document.values()
    )


def _contracts(table: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (file:name, description) of standard JSON, and of combined JSON, which has no level of files."""
    for file, inner in table.items():
        if not isinstance(inner, dict):
            continue
        if "abi" in inner:
            yield file, inner
            continue
        for name, item in inner.items():
            if isinstance(item, dict) and "abi" in item:
                yield f"{file}:{name}", item


def _has_code(item: dict[str, Any]) -> bool:
    code: Any = item.get("bytecode")
    evm = item.get("evm")
    if isinstance(evm, dict):
        code = evm.get("bytecode")
    code = code.get("object") if isinstance(code, dict) else code
    return isinstance(code, str) and len(code.removeprefix("0x")) > 0


def _structs(abi: Sequence[AbiEntry]) -> dict[str, list[tuple[str, str]]]:
    """Return the fields of the structs that getters return, by the getters' names."""
    return {
        entry.name: [(item.name[:MAX_NAME], item.type) for item in entry.outputs[0].components]
        for entry in abi
        if entry.type == "function" and len(entry.outputs) == 1 and entry.outputs[0].type == "tuple"
    }


def _hardhat_layout(path: Path) -> dict[str, Any] | None:
    """Return the storage layout from the build info of a Hardhat artifact; ``None`` where there is none."""
    try:
        document = _decode_json(read_bounded(path, MAX_BYTES, _NOUN), str(path))
        if not isinstance(document, dict) or not str(document.get("_format", "")).startswith("hh"):
            return None
        info = _build_info(path, document)
        if info is None:
            return None
        built = _decode_json(read_bounded(info, MAX_BYTES, _NOUN), str(info))
        compiled = built["output"]["contracts"][document["sourceName"]][document["contractName"]]
    except (FileFormatError, KeyError, TypeError):
        return None
    layout = compiled.get("storageLayout") if isinstance(compiled, dict) else None
    return layout if isinstance(layout, dict) and layout.get("storage") else None


def _build_info(path: Path, document: dict[str, Any]) -> Path | None:
    """Return the build info that an artifact names: in a file beside it (Hardhat 2), or by its id (Hardhat 3)."""
    beside = path.with_suffix(".dbg.json")
    if beside.is_file():
        linked = _decode_json(read_bounded(beside, MAX_BYTES, _NOUN), str(beside))
        relative = linked.get("buildInfo") if isinstance(linked, dict) else None
        candidate = (path.parent / relative) if isinstance(relative, str) else None
        return (
            candidate
            if candidate is not None and candidate.parent.name == "build-info" and candidate.is_file()
            else None
        )
    number = document.get("buildInfoId")
    if not isinstance(number, str) or not number.replace("-", "").replace("_", "").isalnum():
        return None
    for folder in list(path.resolve().parents)[:16]:
        candidate = folder / "build-info" / f"{number}.output.json"
        if candidate.is_file():
            return candidate
    return None


def _depth(parameter: Parameter) -> int:
    """Return how many tuples lie inside each other, counted up to one more than allowed."""
    level, depth = [parameter], 0
    while level and depth <= MAX_DEPTH:
        level, depth = [inner for outer in level for inner in outer.components], depth + 1
    return depth
