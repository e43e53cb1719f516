"""Settings of the fusion of depth images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FusionOptions:
    """How depth images become one surface.

    Attributes:
        resolution: cells of the grid along the longest side of what was seen.
        finest: metres, no smaller cells than this.
        band: cells on both sides of a measured surface within which a measurement counts.
        widest: metres, the band is at least this wide: a sensor's noise must not leave holes.
        margin: cells around what was seen.
        room: share of the longest side that is left on all sides for what was not seen.
        coarser: how many times coarser the grid is on which outlines vote.
        edge: pixels of a mask's border whose depth is not used: it is a mixture of object and background.
        blur: pixels, standard deviation by which depth is smoothed before normals are taken of it.
        baseline: pixels to each side over which they are taken.
        grazing: cosine of the angle between surface and line of sight below which depth is not used.
        least_part: parts of a frame's surface smaller than this share of its largest are not the object's.
        inside: share of the views that must show a point within the outline for it to belong to the object.
        unseen: the same for points that no depth image measured.
        votes: views that must speak of a point before they can cut it away.
        steep: turns a share of views into something that grows like a distance, cells.
        least_weight: measurements that make a cell known.
        smoothed: standard deviation of the final smoothing, cells.
    """

    resolution: int = 72
    finest: float = 0.0008
    band: float = 4.0
    widest: float = 0.006
    margin: int = 4
    room: float = 0.5
    coarser: float = 2.5
    edge: int = 2
    blur: float = 2.0
    baseline: int = 2
    grazing: float = 0.2
    least_part: float = 0.08
    inside: float = 0.7
    unseen: float = 0.93
    votes: float = 2.0
    steep: float = 12.0
    least_weight: float = 1.0
    smoothed: float = 0.7

    @property
    def cut(self) -> int:
        """Pixels within the outline whose depth is not used."""
        return self.edge + self.baseline


@dataclass(frozen=True)
class BoxOptions:
    """When what was seen is taken for a box.

    Attributes:
        samples: points of the seen surface that are looked at.
        aligned: cosine of the angle within which a normal belongs to an axis of the box.
        explained: share of points that must lie on the box.
        near: share of the longest side within which a point lies on it.
        nearest: metres, at least this.
        flat: share of points that a face needs to count as seen.
        faces: faces along different axes that must be seen.
        trim: share of points left out at each end when extents are measured.
        rounds: alternations between axes and assignment.
        outline: overlap of the box's outline with the masks that it must reach.
    """

    samples: int = 6000
    aligned: float = 0.94
    explained: float = 0.9
    near: float = 0.03
    nearest: float = 0.002
    flat: float = 0.06
    faces: int = 2
    trim: float = 0.004
    rounds: int = 12
    outline: float = 0.9
