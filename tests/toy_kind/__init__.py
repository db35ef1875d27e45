"""A task kind outside the package: it counts vowels."""
