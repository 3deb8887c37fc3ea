"""Shapes of attacks, played on a node among realistic traffic; ``catalogue`` says what each is before it is tried."""
