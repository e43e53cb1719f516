"""Methods that need another Python environment: asked through files, run there, ended cleanly.

Both sides speak one contract, :mod:`dexman_pose.networks.outside.contract`: a folder with JSON and npz files. The other
side needs numpy and nothing of this package.
"""
