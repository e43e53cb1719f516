"""Poses found with no idea of them beforehand."""
