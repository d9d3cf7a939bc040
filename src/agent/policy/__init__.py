"""What the agent may do by itself, and what a person has to say yes to."""
