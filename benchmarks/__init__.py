"""How fast and how good specminer is: each module prints one table, with every number that docs quote."""
