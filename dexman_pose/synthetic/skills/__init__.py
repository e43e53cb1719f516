"""Many demonstrations of one skill: a plan moved, sized, weighed and played anew, and what succeeds filmed."""
