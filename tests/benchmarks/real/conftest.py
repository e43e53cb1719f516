"""A hand around a bar that it carries, as the tests of the interaction have it."""

from tests.interaction.conftest import grasp

__all__ = ["grasp"]
