"""What takes long to measure: growth, backlogs, scale, what the guarantees cost. Each row runs alone by its name."""
