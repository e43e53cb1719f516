"""The part of the report that moves: pictures, scene, side view and curves of one frame at a time."""
