"""Watch a contract: judge each new transaction, and deliver what leaves the known behaviour."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click

from specminer._support.errors import UsageError, plain
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.label_options import read_all_labels
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    database_option,
    labels_option,
    quiet_option,
)
from specminer.cli.source_options import node_options
from specminer.monitoring.journal import DeliveryJournal
from specminer.monitoring.receivers import FileReceiver, FindingReceiver, StreamReceiver, WebhookReceiver
from specminer.monitoring.state_file import StateFile
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.watching import Watch, WatchOptions
from specminer.sources.heads import HeadSubscription
from specminer.specification import edits_path, read_edits, read_specification
from specminer.specification.address_names import with_names
from specminer.specification.deviation import Severity
from specminer.store import TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where findings go, as it was given."""

    file: Path | None
    webhook: str | None
    webhook_secret_env: str | None

    def receivers(self) -> list[FindingReceiver]:
        """Return the receivers; standard output if no other was given.

        Raises:
            UsageError: a URL is malformed, the secret is missing, or there is nothing to sign.
            OutputError: the file cannot be written to.

        """
        if self.webhook_secret_env is not None and self.webhook is None:
            raise UsageError("--webhook-secret-env signs what is posted; give it with --webhook URL")
        receivers: list[FindingReceiver] = []
        if self.file is not None:
            receivers.append(FileReceiver(self.file))
        if self.webhook is not None:
            receivers.append(WebhookReceiver(self.webhook, self._secret()))
        return receivers or [StreamReceiver(sys.stdout.buffer)]

    def _secret(self) -> str | None:
        if self.webhook_secret_env is None:
            return None
        secret = os.environ.get(self.webhook_secret_env)
        if not secret:
            raise UsageError(
                f"--webhook-secret-env: the environment has no variable {plain(self.webhook_secret_env, 60)}"
            )
        return secret


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTexts:
    """What is watched, and how, as it was given."""

    automaton: Path
    least: str
    interval: float
    confirmations: int | None
    metrics: Path | None
    journal: Path | None
    once: bool
    learn: bool
    labels: Path | None

    def options(self) -> WatchOptions:
        """Return what the texts mean.

        Raises:
            UsageError: the interval is no number.
            FileFormatError: what was decided about claims cannot be read.

        """
        if math.isnan(self.interval):
            raise UsageError("--interval wants a number of seconds, such as 12")
        return WatchOptions(
            interval=self.interval,
            least=Severity(self.least),
            once=self.once,
            metrics=self.metrics,
            learn=self.automaton if self.learn else None,
            edits=read_edits(edits_path(self.automaton)),
        )


@click.command("watch")
@click.argument("automaton", metavar="AUTOMATON.json", type=click.Path(dir_okay=False, path_type=Path))
@node_options
@artifact_option
@database_option
@click.option(
    "--at",
    "least",
    type=click.Choice([severity.value for severity in Severity]),
    default=Severity.UNKNOWN.value,
    show_default=True,
    help="Deliver what is so bad, or worse.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 86_400),
    default=12.0,
    show_default=True,
    metavar="SECONDS",
    help="Ask the node for new blocks so often; a node at ws:// or wss:// tells them besides.",
)
@click.option(
    "--confirmations",
    type=click.IntRange(0, 100_000),
    metavar="N",
    help="Judge a block once N others stand on it; by default once it is final (at once on development chains).",
)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append findings to this file, one JSON object a line, instead of printing them.",
)
@click.option(
    "--webhook",
    metavar="URL",
    envvar="SPECMINER_WEBHOOK",
    show_envvar=True,
    help="Post findings as JSON to this address, which is neither stored nor shown, instead of printing them.",
)
@click.option(
    "--webhook-secret-env",
    metavar="NAME",
    help="The environment variable that holds the secret by which posts are signed (HMAC-SHA256).",
)
@click.option(
    "--metrics",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write counters to this file after each round, in the text format of Prometheus.",
)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What was judged and delivered; by default AUTOMATON.watch beside the specification.",
)
@click.option("--once", is_flag=True, help="Judge what is new and end, instead of waiting for more.")
@click.option(
    "--learn",
    is_flag=True,
    help="Mine the specification anew, with its own abstraction, after each round that brought transactions.",
)
@labels_option
@quiet_option
@bundle_options
def command(
    watch: WatchTexts,
    node: NodeOptions | None,
    delivery: Delivery,
    artifact: ArtifactPaths,
    database: str,
    quiet: bool,
) -> int:
    """Watch the contract of the specification AUTOMATON.json on a node, until interrupted.

    New transactions are collected into the database, judged as check does, and each finding is delivered at least once:
    as a line of JSON on standard output, or to --file or --webhook. Each carries a key, by which a receiver drops
    repetitions; what a reorganisation took back is delivered again as withdrawn. What a receiver does not take waits,
    and so does the chain while the node does not answer. A watch that was killed goes on where it was. Of a
    long history only what bears on new transactions is read (AUTOMATON.state, see specminer check).

    \b
      specminer watch out/automaton.json --rpc http://127.0.0.1:8545 --db h.db
      specminer watch out/automaton.json --rpc URL --webhook https://HOST/alerts --confirmations 2
      specminer watch out/automaton.json --rpc URL --once
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    if node is None:
        raise UsageError("watch follows a chain; give --rpc URL")
    options = watch.options()
    specification = with_names(read_specification(watch.automaton), read_all_labels(watch.labels))
    abi = read_artifact(artifact)
    receivers = delivery.receivers()
    source = replace(node, confirmations=watch.confirmations)
    with (
        Screen(quiet=quiet) as screen,
        TraceStore(database) as store,
        DeliveryJournal(watch.journal or watch.automaton.with_suffix(".watch")) as journal,
        StateFile(watch.automaton.with_suffix(".state")) as state,
        source.open(specification.chain_id) as history_source,
        HeadSubscription(source.endpoints(), screen.note) as heads,
    ):
        Watch(
            specification=specification,
            store=store,
            source=history_source,
            journal=journal,
            receivers=receivers,
            options=options,
            artifact=abi,
            state=state,
            observer=screen,
            sleep=heads.wait,
        ).run()
    return 0
