"""Training rows from files of public formats, as they stand there; what is wrong with them is named, not raised."""
