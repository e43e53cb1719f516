"""The contract between this package and a function in another environment: which files, what is in them.

A folder holds what is asked, and takes what is answered:

``request.json``
    ``contract`` (this number), ``function`` as ``module:function``, ``paths`` put before ``sys.path``, ``options``
    handed to the function, ``fps`` of the clip.
``frames.npy``
    (T, H, W, 3) uint8 RGB, upright; mapped into memory, not loaded.
``inputs.npz``
    arrays by name; which, depends on what is asked.
``answer.json``
    ``contract``, ``ok``, ``error`` (a line, where it failed), ``versions`` by distribution, ``notes`` (sentences).
``outputs.npz``
    arrays by name.

The function is called as ``function(frames, inputs, options)`` with the mapped frames, a dict of arrays and a dict; it
returns a dict of arrays. What it prints is kept as the log. Pickled objects are refused on both sides.
"""

from __future__ import annotations

CONTRACT = 1
REQUEST, FRAMES, INPUTS = "request.json", "frames.npy", "inputs.npz"
ANSWER, OUTPUTS, LOG = "answer.json", "outputs.npz", "log.txt"
