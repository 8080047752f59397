"""From a question to checked statements: retriever, evidence, prompts, grounding. `rag.assistant` joins them."""
