"""From an adapter to what other programs open, and the proof that it is the same model."""
