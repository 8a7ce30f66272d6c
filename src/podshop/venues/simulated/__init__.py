"""The simulated exchange: fills and costs, in process."""
