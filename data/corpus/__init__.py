"""Texts to train on, cleaned: characters put right, boilerplate and duplicates dropped, each with its reason."""
