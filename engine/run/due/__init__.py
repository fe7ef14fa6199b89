"""What is due and why: the three gates, the clock, causes and counts, the plan and the status that people read."""
