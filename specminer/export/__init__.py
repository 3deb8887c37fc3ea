"""A specification in the languages of other tools."""
