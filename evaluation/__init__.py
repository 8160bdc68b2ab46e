"""Answers to scores, from files only."""
