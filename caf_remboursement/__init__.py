"""Assemble les apps ; ne décide rien."""
