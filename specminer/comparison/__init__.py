"""What differs between two specifications, beyond chance."""
