"""What several pages use: the live pulse, the chart, the Model and Data header, a conversation."""
