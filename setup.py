"""What the project file cannot say: folders of data beside the package that are shipped within it."""

from setuptools import find_packages, setup

DATA = {
    "dexman_pose.model_cards": "models",
    "dexman_pose.evaluation.protocols": "eval/protocols",
    "dexman_pose.evaluation.published": "eval/published",
    "dexman_pose.evaluation.symmetries": "eval/symmetries",
}

setup(
    packages=[*find_packages(include=["dexman_pose", "dexman_pose.*"]), *DATA],
    package_dir=DATA,
    package_data={"dexman_pose": ["py.typed"], **{name: ["*.yaml"] for name in DATA}},
)
