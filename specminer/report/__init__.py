"""What a person reads about a specification: the summary in the terminal and the report."""
