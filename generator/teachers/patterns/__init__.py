"""Families of questions that a statement can be turned into, one a file."""
