"""The database: schema, migrations, and the one door to it, :class:`TraceStore`."""

from specminer.store.store import Part, TraceStore

__all__ = ["Part", "TraceStore"]
