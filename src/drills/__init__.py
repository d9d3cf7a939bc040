"""The examiner: stages faults on a running target and watches the agent through its public doors only."""
