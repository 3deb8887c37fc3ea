"""What a dataset's people do: a module each, named like the dataset, with ``run(anvil, artifacts)``."""
