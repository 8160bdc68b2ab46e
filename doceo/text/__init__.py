"""Small pure tools over text that several rooms need."""
