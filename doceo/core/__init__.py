"""The words every room shares: records, protocols, config, errors, fingerprints. Opens no file and no socket."""
