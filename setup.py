"""The one thing the project file cannot say: the cards in ``models/`` are the package ``dexman_pose.model_cards``."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["dexman_pose", "dexman_pose.*"]), "dexman_pose.model_cards"],
    package_dir={"dexman_pose.model_cards": "models"},
    package_data={"dexman_pose": ["py.typed"], "dexman_pose.model_cards": ["*.yaml"]},
)
