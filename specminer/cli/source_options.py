"""The sources of histories on the command line: their options, and which of them is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import click

from specminer._support.errors import UsageError
from specminer.cli.shared_options import compose
from specminer.pipeline.cluster import DaskOptions
from specminer.pipeline.dask_source import DaskSource
from specminer.pipeline.explorer_source import ExplorerOptions
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.source import HistorySource
from specminer.sources.traffic import CONCURRENCY, RETRIES, TIMEOUT

LOCAL: Final = "local"
DASK: Final = "dask"
"""What does the work: this process, or Dask workers."""

node_options: Final = compose(
    click.option(
        "--rpc",
        "node_url",
        envvar="SPECMINER_RPC",
        show_envvar=True,
        multiple=True,
        metavar="URL",
        help="The node: http(s)://, ws(s)://, or the path of an IPC socket. It needs debug_traceTransaction. May be "
        "repeated: the first that answers, and can (traces, old state), is asked.",
    ),
    click.option(
        "--rpc-header",
        "node_headers",
        multiple=True,
        metavar="NAME=VALUE",
        help="A header for the first node, such as a key; may be repeated. Neither it nor the URL is stored or shown.",
    ),
    click.option(
        "--retries",
        "node_retries",
        type=click.IntRange(0, 1_000),
        default=RETRIES,
        show_default=True,
        metavar="N",
        help="How often a request that failed in a way that may pass is sent again, with growing pauses.",
    ),
    click.option(
        "--timeout",
        "node_timeout",
        type=click.FloatRange(0, 86_400, min_open=True),
        default=TIMEOUT,
        show_default=True,
        metavar="SECONDS",
        help="Wait for an answer of the node so long at most.",
    ),
    click.option(
        "--concurrency",
        "node_concurrency",
        type=click.IntRange(1, 1_000),
        default=CONCURRENCY,
        show_default=True,
        metavar="N",
        help="Messages under way to a node at most; how many it takes is learned.",
    ),
    click.option(
        "--rps",
        "node_rate",
        type=click.FloatRange(0, min_open=True),
        metavar="N",
        help="Requests a second to a node at most, each of a batch counted; by default no limit.",
    ),
)

explorer_options: Final = compose(
    click.option(
        "--explorer",
        "explorer_url",
        metavar="URL",
        help="The API of a block explorer that speaks Etherscan's dialect (Etherscan, Blockscout and others), in place "
        "of a node: what it lists is executed again, here.",
    ),
    click.option(
        "--explorer-key-env",
        "explorer_key_env",
        metavar="NAME",
        help="The environment variable that holds the explorer's key. Neither the key nor the URL is stored or shown.",
    ),
)

verify_option: Final = click.option(
    "--verify",
    "node_verify",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Compare this share (0 to 1) of the contract's storage with the node's, at the end and at sampled blocks.",
)

executor_options: Final = compose(
    click.option(
        "--executor",
        type=click.Choice([LOCAL, DASK]),
        default=LOCAL,
        show_default=True,
        help="What does the work: this process (local), or the workers of a Dask cluster (dask; extra `dask`), which "
        "read from the node, and execute and mine the contracts of a list.",
    ),
    click.option(
        "--scheduler",
        envvar="SPECMINER_SCHEDULER",
        show_envvar=True,
        metavar="ADDRESS",
        help="The Dask scheduler for --executor dask, as `dask scheduler` shows it: tcp://HOST:8786.",
    ),
)

source_options: Final = compose(node_options, explorer_options)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """The sources that were given, each with its options."""

    node: NodeOptions | None
    explorer: ExplorerOptions | None
    executor: str = LOCAL
    scheduler: str | None = None

    @property
    def source(self) -> HistorySource | None:
        """The source to collect from; beside an explorer a node is only asked for other contracts.

        Raises:
            UsageError: Dask workers are to read it, but their scheduler is missing or malformed.

        """
        workers, source = self.workers, self.explorer or self.node
        return source if source is None or workers is None else DaskSource(source=source, workers=workers)

    @property
    def workers(self) -> DaskOptions | None:
        """The Dask workers that do the work; ``None`` if this process does.

        Raises:
            UsageError: the address of their scheduler is missing or malformed.

        """
        if self.executor == LOCAL:
            return None
        if not self.scheduler:
            raise UsageError(
                "--executor dask needs a scheduler: give --scheduler ADDRESS (or set SPECMINER_SCHEDULER), such as "
                "tcp://127.0.0.1:8786; `dask scheduler` starts one"
            )
        workers = DaskOptions(scheduler=self.scheduler)
        workers.check()
        return workers
