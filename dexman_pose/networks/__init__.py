"""Pretrained networks made ready to run: loaded from this machine, fed with pictures in the way they were trained."""
