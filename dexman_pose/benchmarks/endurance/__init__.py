"""What must not break: long clips, runs that are killed, batches whose driver is killed, clips that are no clips."""
