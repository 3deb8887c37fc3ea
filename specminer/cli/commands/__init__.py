"""The commands: a module each, found by its name. Its first line is what ``specminer --help`` says of the command."""
