"""From convictions to target lots, and from many wishes to one order."""
