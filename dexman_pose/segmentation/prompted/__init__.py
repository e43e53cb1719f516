"""What backends that are shown objects by boxes, clicks and masks have in common."""
