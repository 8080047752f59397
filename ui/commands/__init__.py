"""What the commands do, one module each; `ui/cli.py` has their arguments.

Each takes the session and its own arguments, writes its answer to standard output and returns the exit code.
"""
