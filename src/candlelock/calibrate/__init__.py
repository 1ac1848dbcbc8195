"""From member probabilities to one calibrated probability and a trading threshold."""
