"""From fills to balanced books: settlement, crossing, allotment."""
