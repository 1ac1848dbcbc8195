"""The proof of a feature file without a registry: a parent that executes nothing of it, and processes that do."""
