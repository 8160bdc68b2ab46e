"""Chat models and embedders, one file each. Every SDK's errors become Doceo's in its own file."""
