"""Check transactions against a specification: what leaves the known behaviour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from specminer import __version__, check, select
from specminer._support.errors import UsageError
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.label_options import read_all_labels
from specminer.cli.painting import paint
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    database_option,
    labels_option,
    quiet_option,
    range_options,
    whole_number,
)
from specminer.cli.source_options import SourceOptions, source_options
from specminer.pipeline.checking import CheckOptions
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.proposing import PROPOSED, ProposedCall, propose
from specminer.pipeline.selecting import SelectionOptions
from specminer.pipeline.source import BlockRange
from specminer.pipeline.stored_checking import StoredHistory, check_stored
from specminer.presentation.check_result import check_json, check_sarif, check_text
from specminer.specification import Specification, edits_path, read_edits, read_specification
from specminer.specification.address_names import AddressNames, with_names
from specminer.specification.deviation import CheckResult, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRange:
    """Which transactions are judged, as it was given."""

    first: int | None
    last: int | None
    transactions: tuple[str, ...]

    def options(self) -> CheckOptions:
        """Return them as the check takes them.

        Raises:
            UsageError: the range is empty.

        """
        BlockRange(first=self.first, last=self.last).check()
        return CheckOptions(first_block=self.first, last_block=self.last, transactions=self.transactions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTexts:
    """What is checked, and how it is told, as it was given."""

    automaton: Path
    targets: tuple[str, ...]
    least: str
    form: str
    labels: Path | None

    def names(self, specification: Specification) -> AddressNames:
        """Return what addresses are called: as the file says, else as the specification does.

        Raises:
            FileFormatError: the file of labels is malformed.

        """
        return AddressNames.of(with_names(specification, read_all_labels(self.labels)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedText:
    """A call that is not sent yet, as it was given."""

    text: str | None
    sender: str | None
    value: int | None
    timestamp: int | None

    def call(self, judged: JudgedRange) -> ProposedCall | None:
        """Return the call; ``None`` if none was given.

        Raises:
            UsageError: who would send it was not said, or options go together that say two different things.

        """
        if self.text is None:
            options = {"--from": self.sender, "--value": self.value, "--time": self.timestamp}
            for name, value in options.items():
                if value is not None:
                    raise UsageError(f"{name} is for a call that is not sent yet; give it with --call")
            return None
        if self.sender is None:
            raise UsageError("--call needs to know who would send it: give --from ADDRESS")
        if judged != JudgedRange(first=None, last=None, transactions=()):
            raise UsageError(
                "--call judges the call alone; leave out --from-block, --to-block and --transaction, or --call"
            )
        return ProposedCall(
            text=self.text, sender=self.sender, value=self.value or 0, timestamp=self.timestamp
        )


@click.command("check")
@click.argument("automaton", metavar="AUTOMATON.json", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("targets", metavar="[ADDRESS|DATASET|FILE …]", nargs=-1)
@source_options
@artifact_option
@range_options
@click.option(
    "--transaction",
    "transactions",
    multiple=True,
    metavar="HASH",
    help="Judge this transaction alone; may be repeated.",
)
@click.option(
    "--call",
    "text",
    metavar="DATA|FUNCTION(…)",
    help="Judge a call that is not sent yet: its calldata as 0x…, or a function of the ABI with its arguments. It is "
    "executed on what the history says of the contract's storage, with --rpc on the node's state.",
)
@click.option(
    "--from",
    "sender",
    metavar="ADDRESS",
    help="Who would send the call.",
)
@click.option(
    "--value",
    type=whole_number(0, bits=256),
    metavar="WEI",
    help="The ether that the call would bring; by default none.",
)
@click.option(
    "--time",
    "timestamp",
    type=whole_number(0),
    metavar="SECONDS",
    help="When the call would be made, in Unix seconds; by default just behind the last known transaction.",
)
@click.option(
    "--at",
    "least",
    type=click.Choice([severity.value for severity in Severity]),
    default=Severity.UNKNOWN.value,
    show_default=True,
    help="Exit with code 1 if something is so bad, or worse.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, or SARIF 2.1.0 for pipelines.",
)
@labels_option
@database_option
@quiet_option
@bundle_options
def command(
    texts: CheckTexts,
    source: SourceOptions,
    judged: JudgedRange,
    proposed: ProposedText,
    artifact: ArtifactPaths,
    database: str,
    quiet: bool,
) -> int:
    """Check transactions against the specification AUTOMATON.json.

    Judged are by default the transactions behind the specification's last block, or all if the history is another
    contract's. The target is the ADDRESS of a contract of the same code, a shipped DATASET, or a trace FILE; without
    one it is the specification's own contract in the database, brought up to date first if --rpc or --explorer is
    given.

    What was before tells in which state each interaction is. Of the specification's own contract the file
    AUTOMATON.state keeps that, so that the next check reads new transactions and what bears on them; the findings are
    the same. It may be removed: then the history is read whole, as it is for other targets and short histories.

    Findings are *broken* (the code's own conditions or what always held is contradicted), *unknown* (it never happened
    before), or *unusual* (it hardly ever did). Exits with 1 if one is at least as bad as --at. Claims that the file
    automaton.toml beside the specification drops are not checked (see specminer claims).

    \b
      specminer check out/automaton.json --db h.db --rpc http://127.0.0.1:8545
      specminer check out/automaton.json --transaction 0xHASH
      specminer check out/automaton.json later.jsonl.gz --at broken --format sarif
      specminer check out/automaton.json --call 'settle(7)' --from 0xADDRESS
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    specification = read_specification(texts.automaton)
    names, abi = texts.names(specification), read_artifact(artifact)
    selection = _selection(specification, texts.targets)
    selection.trace_files()
    edits = read_edits(edits_path(texts.automaton))
    options, call = replace(judged.options(), edits=edits), proposed.call(judged)
    is_own = not texts.targets and call is None and specification.history.life is None
    with Screen(quiet=quiet) as screen:
        if is_own:
            state = texts.automaton.with_suffix(".state")
            stored_history = StoredHistory(database=database, state=state, source=source.source, artifact=abi)
            return _print_result(
                check_stored(specification, stored_history, options, observer=screen), texts, names
            )
        selected = select(database, selection, abi=abi, source=source.source, observer=screen)
        if call is not None:
            proposal = propose(selected, call, source.source)
            selected = replace(selected, history=proposal.history)
            options = CheckOptions(transactions=(f"0x{PROPOSED.hex()}",), edits=edits)
            for note in (*proposal.notes, proposal.outcome):
                screen.note(note)
        result = check(specification, selected, options=options, abi=abi, observer=screen)
    return _print_result(result, texts, names)


def _print_result(result: CheckResult, texts: CheckTexts, names: AddressNames) -> int:
    """Print what was found; return the exit code."""
    match texts.form:
        case "json":
            click.echo(check_json(result, names), nl=False)
        case "sarif":
            click.echo(check_sarif(result, __version__, names), nl=False)
        case _:
            click.echo(paint(check_text(result, names)), nl=False)
    return 1 if result.at_least(Severity(texts.least)) else 0


def _selection(specification: Specification, targets: tuple[str, ...]) -> SelectionOptions:
    """Return the history that is meant: of the targets, or of the specification's own contracts."""
    if targets:
        return SelectionOptions(targets=targets)
    return SelectionOptions(
        targets=specification.contracts,
        chain_id=specification.chain_id,
        life=specification.history.life,
    )
