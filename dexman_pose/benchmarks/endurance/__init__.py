"""What must not break: batches whose driver is killed, clips that are no clips."""
