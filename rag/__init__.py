"""Question to cited answer: index, retrieval, prompt, citations."""
