"""Specminer from Python: from a history to an automaton in a few lines, shown in a notebook.

::

    from specminer.api import mine

    found = mine("auction_house")
    found

``docs/python.md`` is the how-to. Errors are those of :mod:`specminer.errors`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, Self

from eth_utils.address import is_address, to_canonical_address

from specminer.datasets import dataset
from specminer.errors import StoreError, UsageError, plain
from specminer.pipeline import MineOptions, import_traces, prepare_folder, write_output
from specminer.pipeline import mine as run
from specminer.render import Format, PictureOptions, draw
from specminer.report.summary import summary
from specminer.specification import Specification, read_specification
from specminer.store import TraceStore
from specminer.trace import Address

__all__ = ["Mined", "mine", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A mined specification that a notebook shows as its picture."""

    specification: Specification
    options: PictureOptions = field(default_factory=PictureOptions)
    """How it is drawn."""

    def drawn(self, **options: Any) -> Self:
        """Return the same drawn otherwise: see :class:`specminer.render.PictureOptions` (``theme="dark"``)."""
        return replace(self, options=replace(self.options, **options))

    def with_states(self, states: int) -> Self:
        """Return the automaton of the front that has so many states, the initial one included.

        Raises:
            UsageError: there is none.

        """
        return replace(self, specification=self.specification.with_states(states))

    def draw(self, format: Format = "svg") -> bytes:  # noqa: A002
        """Return the picture in a format: svg, png, pdf, dot, mermaid or graphml.

        Raises:
            RenderError: there is no renderer, or it failed.

        """
        return draw(self.specification, format, self.options)

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write ``automaton.json``, ``abstraction.toml``, ``automaton.dot``, ``automaton.svg``; return the folder.

        Raises:
            OutputError: it cannot be written to.

        """
        prepare_folder(Path(folder))
        return write_output(self.specification, Path(folder), self.options).folder

    def _repr_svg_(self) -> str:
        """Return what a notebook shows."""
        return self.draw("svg").decode()

    def __repr__(self) -> str:
        """Return what a notebook that shows no pictures, or a terminal, shows: the summary."""
        return summary(self.specification)


def mine(
    source: str | PathLike[str],
    *addresses: str,
    chain_id: int | None = None,
    options: MineOptions | None = None,
) -> Mined:
    """Mine a recorded history.

    Args:
        source: the name of a shipped dataset, a trace file, or, with ``addresses``, a database: its path or
            SQLAlchemy URL.
        addresses: contracts in the database, all of one code if there are several.
        chain_id: the contracts' chain; needed only if the database holds the first one on several.
        options: how to split and tune; ``None`` for the defaults.

    Raises:
        UsageError: there is no such dataset or file, or an address is none.
        FileFormatError: the trace file is malformed.
        StoreError: the database does not hold the contracts.

    """
    chosen = options or MineOptions()
    if addresses:
        place = str(source)
        if "://" not in place and not Path(place).is_file():
            raise StoreError(f"there is no database {plain(place)}")
        with TraceStore(place) as store:
            wanted = [_address(text) for text in addresses]
            chain = _chain(store, wanted[0]) if chain_id is None else chain_id
            history = store.history(chain, store.by_creation(chain, wanted))
    else:
        files = (Path(source),) if Path(source).is_file() else dataset(str(source)).trace_files
        with TraceStore("sqlite://") as store:
            records = [import_traces(store, file) for file in files]
            history = store.history(records[0].chain_id, [record.address for record in records])
    return Mined(specification=run(history, chosen).specification)


def read(path: str | PathLike[str]) -> Mined:
    """Read an ``automaton.json``.

    Raises:
        FileFormatError: it cannot be read, or is none.

    """
    return Mined(specification=read_specification(path))


def _address(text: str) -> Address:
    if not is_address(text):
        raise UsageError(f"'{plain(text, 80)}' is not an address; expected 0x and 40 hexadecimal digits")
    return Address(to_canonical_address(text))


def _chain(store: TraceStore, address: Address) -> int:
    chains = [record.chain_id for record in store.contracts() if record.address == address]
    if not chains:
        raise StoreError(f"the database holds no contract 0x{address.hex()}")
    if len(chains) > 1:
        shown = ", ".join(map(str, sorted(chains)))
        raise UsageError(
            f"the database holds 0x{address.hex()} on the chains {shown}; say which: chain_id=..."
        )
    return chains[0]
