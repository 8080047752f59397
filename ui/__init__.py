"""What a person sees: the command line and the renderings of an answer."""
