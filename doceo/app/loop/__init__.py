"""The closed loop: generate, fine-tune, evaluate, and generate again where the model is weak."""

from doceo.app.loop.running import run_loop

__all__ = ["run_loop"]
