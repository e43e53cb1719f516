"""The stage ``contacts``: who touches what, by distance and by who holds what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import Contacts, RigidObject
from dexman_pose.pipeline import artefacts
from dexman_pose.pipeline.stage import Stage
from dexman_pose.pipeline.with_contact.stage import GrippingHands

TOUCH_ON, TOUCH_OFF = 0.005, 0.008
"""Metres between skin and surface at which a contact begins and ends, for hands that were solved with what they hold:
they do not hover over it by their error in distance, so that less than the usual gap is told from a touch."""


def contacts_stage(
    objects: Mapping[str, RigidObject], grips: GrippingHands, frame_times: Array
) -> Stage[Contacts]:
    """Decide who touches what.

    Args:
        objects: by name.
        grips: hands as they were solved with what they hold.
        frame_times: (T,) seconds.
    """
    from dexman_pose.contact.detect import detect_contacts
    from dexman_pose.contact.resting import without_resting_touches
    from dexman_pose.contact.through_holds import contacts_through_holds

    def compute() -> Contacts:
        found = detect_contacts(objects, grips.hands, threshold_on=TOUCH_ON, threshold_off=TOUCH_OFF)
        if grips.moved:  # their tracks tremble, and what is left of that is more than such a gap
            usual = detect_contacts({name: objects[name] for name in grips.moved}, grips.hands)
            touching = found.touching.copy()
            touching[[found.pairs.index(pair) for pair in usual.pairs]] = usual.touching
            found = replace(found, touching=touching)
        handled = grips.handled(found.distance.shape[1])
        real = without_resting_touches(found, objects, grips.hands, handled, frame_times)
        made = [name for name, thing in objects.items() if thing.mesh.source != "file"]
        return contacts_through_holds(real, handled, made=made)

    return Stage(
        "contacts",
        "stages/contacts.npz",
        compute=compute,
        save=artefacts.save_contacts,
        load=artefacts.load_contacts,
        after=("objects", "scene", "grips"),
        rooms=("contact",),
    )
