"""Readers of camera files of other tools; :func:`dexman_pose.data.load_camera` is the door."""
