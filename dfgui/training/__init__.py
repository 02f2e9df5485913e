"""Training: may a run start, where it executes, and its whole life from the first row to the last checkpoint."""
