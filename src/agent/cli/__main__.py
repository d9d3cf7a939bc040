"""``python -m agent.cli``."""

from .commands import main

main()
