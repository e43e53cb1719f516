"""The demonstration: a hand that moves a tin, rendered, and the errors against its truth."""
