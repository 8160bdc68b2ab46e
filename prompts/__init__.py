"""Prompt templates, and the catalog that fills them."""
