"""Text to a small base model: tokenizer, token stream, a Llama-family model, its training."""
