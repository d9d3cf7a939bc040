"""From evidence to a cause: ranked hypotheses, and the experiments that decide between them."""
