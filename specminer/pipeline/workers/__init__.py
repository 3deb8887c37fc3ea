"""Work on other processes and machines: Dask workers do pieces of it, and their results come back in order."""

from specminer.pipeline.workers.cluster import Cluster, DaskOptions

__all__ = ["Cluster", "DaskOptions"]
