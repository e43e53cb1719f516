"""One surface out of the depth images of a clip whose poses are known."""
