"""What is said of a contract besides its history: ABI, layout, enums, code, names of functions."""
