"""Teachers: they propose pairs from chunks."""
