"""A small grammar of English statements: clean text, tokens, noun phrases, clauses."""
