"""Whether an agent is fit to be heard, and whether what it earned was more than luck."""
