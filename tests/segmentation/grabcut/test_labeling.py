from __future__ import annotations

import numpy as np

from dexman_pose.segmentation.grabcut.labeling import posterior


def _picture() -> tuple[np.ndarray, np.ndarray]:
    truth = np.zeros((60, 80), bool)
    truth[15:45, 20:60] = True
    lab = np.where(truth[..., None], np.uint8([180, 128, 128]), np.uint8([60, 128, 128]))
    return truth, lab.astype(np.uint8)


def test_noise_is_removed_and_the_edge_kept() -> None:
    truth, lab = _picture()
    rng = np.random.default_rng(0)
    evidence = np.zeros((2, 60, 80), np.float32)
    evidence[1] = np.where(truth, 1.0, -1.0) + rng.normal(0, 1.5, truth.shape)
    assert ((evidence[1] > 0) != truth).mean() > 0.2
    found = posterior(evidence, lab).argmax(0) == 1
    assert (found != truth).mean() < 0.01


def test_probabilities_of_three_labels_sum_to_one() -> None:
    truth, lab = _picture()
    evidence = np.stack([np.zeros(truth.shape), truth * 2.0 - 1, truth * 1.0 - 3]).astype(np.float32)
    q = posterior(evidence, lab)
    assert q.shape == evidence.shape
    assert np.allclose(q.sum(0), 1, atol=1e-5)


def test_without_contrast_the_labels_follow_the_evidence() -> None:
    truth, _ = _picture()
    flat = np.full((60, 80, 3), 128, np.uint8)
    evidence = np.stack([np.zeros(truth.shape), np.where(truth, 6.0, -6.0)]).astype(np.float32)
    assert ((posterior(evidence, flat)[1] > 0.5) == truth).mean() > 0.99


def test_tiny_window_works() -> None:
    evidence = np.zeros((2, 5, 7), np.float32)
    evidence[1] = 3
    assert (posterior(evidence, np.zeros((5, 7, 3), np.uint8))[1] > 0.5).all()
