"""Teaches the sentence encoder: which sentences answer which questions."""
