"""Many clips reconstructed by a few workers: each in a process of its own, what is done is done once."""

from dexman_pose.batch.clips import list_clips
from dexman_pose.batch.job import Job, Outcome
from dexman_pose.batch.run import BatchOptions, run_batch

__all__ = ["BatchOptions", "Job", "Outcome", "list_clips", "run_batch"]
