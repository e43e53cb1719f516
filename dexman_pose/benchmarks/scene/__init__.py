"""The whole pipeline on rendered grasp films, against their exact truth."""
