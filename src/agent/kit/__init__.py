"""What all share and no feature owns; knows no feature and no vendor."""
