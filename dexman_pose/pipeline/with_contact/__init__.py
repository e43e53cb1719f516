"""The stage that solves hands together with what they hold."""
