"""Methods: one file for each way of training. sft now."""
