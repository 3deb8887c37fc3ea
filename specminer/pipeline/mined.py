"""A mined automaton: drawn, written, reported, read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from specminer._support.errors import UsageError
from specminer.pipeline.output import WrittenFiles, make_folder, prepare_folder, replace_file, write_output
from specminer.presentation.drawing import SUFFIXES, Format, draw
from specminer.presentation.picture_options import PictureOptions
from specminer.presentation.summary import summary
from specminer.specification import (
    Specification,
    edit_specification,
    edits_path,
    front_place,
    read_edits,
    read_specification,
)
from specminer.specification.address_names import with_names

if TYPE_CHECKING:  # these load the stages of mining: they are imported where they are used
    from specminer.pipeline import mining
    from specminer.pipeline.inputs import ArtifactSource
    from specminer.presentation.report_document import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedSpecification:
    """A mined specification that a notebook shows as its picture."""

    specification: Specification
    options: PictureOptions = field(default_factory=PictureOptions)
    """How it is drawn."""
    details: mining.MiningResult | None = field(default=None, repr=False, compare=False)
    """The history it was mined from and what was made of it; ``None`` for one that was read, or chosen afterwards."""

    def restyle(self, **options: Any) -> Self:
        """Return the same drawn otherwise: see :class:`specminer.PictureOptions` (``theme="dark"``)."""
        return replace(self, options=replace(self.options, **options))

    def with_states(self, states: int) -> Self:
        """Return the automaton of the front that has so many states, the initial one included.

        Raises:
            UsageError: there is none.

        """
        return self.of_front(states=states)

    def of_front(self, *, states: int | None = None, point: int | None = None) -> Self:
        """Return another automaton of the front: by its number of states, or by its place, counted from 1.

        Raises:
            UsageError: there is none, or two are wanted.

        """
        sizes = [item.states for item in self.specification.front]
        index = front_place(sizes, states, point)
        if index is None or self.specification.front[index].chosen:
            return self
        return replace(self, specification=self.specification.at(index), details=None)

    def seen_otherwise(self) -> Self | None:
        """Return the second view: the same history split by something else; ``None`` if nothing is nearly as good."""
        other = self.specification.seen_otherwise()
        return None if other is None else replace(self, specification=other, details=None)

    def with_history(self, database: str | PathLike[str], *, abi: ArtifactSource = None) -> Self:
        """Read the history that it was mined from again and lay it over it, so that reports tell of it.

        Raises:
            FileFormatError: the ABI is malformed.
            StoreError: the database does not hold that history.
            UsageError: the document names no contract, or its abstraction does not fit.

        """
        from specminer.pipeline.inputs import open_existing, read_artifact
        from specminer.pipeline.recording import Recording
        from specminer.pipeline.reporting import mined_again

        artifact = read_artifact(abi)
        location = str(database)
        with open_existing(location) as store:
            details = mined_again(self.specification, store, artifact)
        recording = Recording(
            chain_id=self.specification.chain_id, contracts=details.history.accounts, database=location
        )
        return replace(self, details=replace(details, recording=recording))

    def draw(self, format: Format = "svg") -> bytes:  # noqa: A002
        """Return the picture in a format: svg, png, pdf, dot, mermaid or graphml.

        Raises:
            RenderError: there is no renderer, or it failed.

        """
        return draw(self.specification, format, self.options)

    def write_pictures(
        self, folder: str | PathLike[str], formats: Sequence[Format] = ("svg",), name: str = "automaton"
    ) -> list[Path]:
        """Write pictures called after ``name``, one for each format, whole or not at all; return the files.

        Raises:
            OutputError: the folder cannot be written to.
            RenderError: there is no renderer, or it failed; nothing was written.

        """
        target = Path(folder)
        prepare_folder(target)
        pictures = {target / f"{name}.{SUFFIXES[form]}": self.draw(form) for form in formats}
        make_folder(target)
        for path, picture in pictures.items():
            replace_file(path, picture)
        return list(pictures)

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write ``automaton.json``, ``abstraction.toml``, ``automaton.dot``, ``automaton.svg``; return the folder.

        Raises:
            OutputError: it cannot be written to.

        """
        prepare_folder(Path(folder))
        return write_output(self.specification, Path(folder), self.options).folder

    def write(self, folder: str | PathLike[str], *, report: bool = True) -> WrittenFiles:
        """Write what :meth:`save` writes, and ``report.html`` unless it is not wanted; return the files.

        Raises:
            OutputError: the folder cannot be written to.

        """
        from specminer.pipeline.reporting import write_report
        from specminer.presentation.report_document import Report

        page = (
            self.apply_edits(Path(folder) / "automaton.json").report()
            if report
            else Report(specification=self.specification, evidence=None)
        )
        written = write_output(self.specification, Path(folder), self.options)
        pages = write_report(page, Path(folder), ["html"] if report else [])
        return replace(written, report=pages[0] if pages else None)

    def apply_edits(self, automaton: str | PathLike[str]) -> Self:
        """Return the same with the claims that the TOML file beside an ``automaton.json`` pins, without those it drops.

        Raises:
            FileFormatError: the file is malformed, or a claim is pinned of which nothing says what it is.

        """
        edits = read_edits(edits_path(Path(automaton)))
        return replace(self, specification=edit_specification(self.specification, edits))

    def with_labels(self, labels: Mapping[str, str]) -> Self:
        """Return the same with names of addresses, by address, besides those that the specification holds.

        Raises:
            UsageError: an address is none.

        """
        from specminer.pipeline.inputs import parse_address

        for address in labels:
            parse_address(address)
        return replace(self, specification=with_names(self.specification, labels))

    def report(self) -> Report:
        """Return the report; without :attr:`details` it tells what the document holds."""
        from specminer.pipeline.reporting import report_from
        from specminer.presentation.report_document import Report

        if self.details is None:
            return Report(specification=self.specification, evidence=None)
        return report_from(self.specification, self.details)

    def write_report(self, folder: str | PathLike[str], formats: Sequence[str] = ("html",)) -> list[Path]:
        """Write the report (html, md, json, pdf) and logs of all events (csv, xes, ocel); return the files.

        Raises:
            UsageError: a format is not known, none is given, or a log is asked for without a history.
            OutputError: the folder cannot be written to.

        """
        from specminer.pipeline.reporting import split_formats, write_logs, write_report

        pages, logs = split_formats(formats)
        if logs and self.details is None:
            raise UsageError(
                "--format csv, xes and ocel hold every event of the history; give its database with --db"
            )
        target = Path(folder)
        prepare_folder(target)
        written = write_report(self.report(), target, pages) if pages else []
        if self.details is not None:
            written += write_logs(self.specification, self.details, target, logs)
        return written

    def smtlib(self) -> str:
        """Return states, guards and transitions as an SMT-LIB 2 script.

        Raises:
            FileFormatError: the document's predicates or guards are malformed.

        """
        from specminer.predicate.smtlib_document import smtlib

        return smtlib(self.specification)

    def _repr_svg_(self) -> str:
        """Return what a notebook shows."""
        return self.draw("svg").decode()

    def __repr__(self) -> str:
        """Return what a notebook that shows no pictures, or a terminal, shows: the summary."""
        return summary(self.specification)


def read(path: str | PathLike[str]) -> MinedSpecification:
    """Read an ``automaton.json``.

    Raises:
        FileFormatError: it cannot be read, is too large, or is none.

    """
    return MinedSpecification(specification=read_specification(path))
