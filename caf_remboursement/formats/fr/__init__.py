"""En français."""
