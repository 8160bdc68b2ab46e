"""Where config becomes objects and stages stand in order. Start with `pipeline.py`."""
