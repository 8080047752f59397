"""Small scripts that measure and print a table; none of them is a test."""
