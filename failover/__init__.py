"""Random faults against the real server, and the proof that no answer was lost (docs/reliability.md). Not shipped."""
