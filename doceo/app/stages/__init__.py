"""The stages of a run, one file each. Every one is redone only when its config or its inputs changed."""
