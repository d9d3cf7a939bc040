"""What the sources can tell about an incident."""
