"""Sentiment: what people read and feel moves prices for a while, and at its extremes the wrong way."""
