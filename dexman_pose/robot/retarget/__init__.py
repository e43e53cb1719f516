"""A person's hand onto a robot's: joints of the robot for a whole motion at once."""
