"""Documents to chunks, pairs to datasets, and the run folder they stand in."""
