"""Answers as a judge model marks them: what it is shown, what it said, and how far that can be trusted."""
