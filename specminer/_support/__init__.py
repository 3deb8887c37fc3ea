"""What every layer may use and what knows nothing of contracts: texts for people, and reading files."""
