"""Jobs: what each kind does, the queue, and the workers that do it."""
