"""Measured grasps with planted noise, put through the step that solves hands and objects together."""
