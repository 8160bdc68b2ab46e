"""Chunks to pairs: plan, teachers, checks, ledger."""
