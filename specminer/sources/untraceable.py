"""Says why a node cannot trace, and which kind of node can."""

from __future__ import annotations

from collections.abc import Mapping

from specminer._support.errors import ChainError, NodeNeed, NodeRefused
from specminer.history.trace import Tracer
from specminer.sources.refusals import NO_METHOD

_NEEDED = {
    NodeNeed.ARCHIVE: (
        "keeps no state of the blocks to be traced",
        "use an archive node, or read only newer blocks with --from-block",
    ),
    None: (
        "offers no way to trace transactions",
        "specminer needs debug_traceTransaction: a node of your own, or a provider's plan with debug methods and "
        "archive state",
    ),
}


def untraceable(label: str, failures: Mapping[Tracer, ChainError]) -> NodeRefused:
    """Return the error of a node, of which ``label`` is the name, that no tracer runs on; each failed for a reason."""
    needs = {_need_of(error) for error in failures.values()}
    need = needs.pop() if len(needs) == 1 else None
    tracers: dict[str, list[str]] = {}
    for tracer, error in failures.items():
        tracers.setdefault(str(error.values.get("said", error.message)), []).append(tracer.value)
    if len(tracers) == 1:
        reasons = next(iter(tracers))
    else:
        reasons = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in tracers.items())
    lack, advice = _NEEDED.get(need, _NEEDED[None])
    return NodeRefused(f"{label} {lack} ({reasons}); {advice}", need=need)


def _need_of(error: ChainError) -> NodeNeed | None:
    if not isinstance(error, NodeRefused):
        return None
    return NodeNeed.TRACING if error.code == NO_METHOD else error.need
