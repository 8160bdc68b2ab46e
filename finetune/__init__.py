"""Dataset to adapter: checks, masks, LoRA by TRL and PEFT."""
