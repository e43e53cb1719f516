"""The command line, one file per command group."""

from dexman_pose.cli.interrupt import leave_at_once

leave_at_once()
