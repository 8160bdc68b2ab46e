"""An invented town whose every fact is known, to see whether training reaches the facts that a model lacks.

In the spirit of the synthetic biographies of Allen-Zhu and Li, "Physics of Language Models", part 3.1 (Knowledge
storage and extraction, 2023), 3.2 and 3.3.
"""
