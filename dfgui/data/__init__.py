"""A row becomes tokens: sources read rows, formats make conversations of them, tokens are what the trainer gets."""
