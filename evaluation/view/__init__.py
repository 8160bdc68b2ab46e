"""What the report page shows, as plain frozen values; the templates only lay it out."""
