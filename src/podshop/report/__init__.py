"""What a run earned, cost, risked and refused: measures, charts, one page and one summary."""
