"""Who writes patches, and who judges them."""
