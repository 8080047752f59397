"""Teaching a small model to word evidence: examples, their check, training, packaging. Knows no search."""
