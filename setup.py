"""What the project file cannot say: folders of data beside the package that are shipped within it."""

import base64
import hashlib
import zipfile
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.editable_wheel import editable_wheel

DATA = {
    "dexman_pose.model_cards": "models",
    "dexman_pose.evaluation.protocols": "eval/protocols",
    "dexman_pose.evaluation.published": "eval/published",
    "dexman_pose.evaluation.symmetries": "eval/symmetries",
}


class EditableWheel(editable_wheel):
    """An editable install that type checkers follow: packages in other folders make setuptools install an import hook,
    which they cannot read, so a plain path to the source lies beside it."""

    def run(self) -> None:
        super().run()
        for wheel in Path(self.dist_dir).glob("dexman_pose-*.whl"):
            add_source_path(wheel, Path(__file__).resolve().parent)


def add_source_path(wheel: Path, root: Path) -> None:
    """Put a .pth file that holds ``root`` into a wheel, and into its record."""
    name, content = "__editable__.dexman_pose_source.pth", f"{root}\n".encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    line = f"{name},sha256={digest},{len(content)}\n".encode()
    with zipfile.ZipFile(wheel) as old:
        files = [(item, old.read(item)) for item in old.infolist()]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr(name, content)
        for item, data in files:
            is_record = item.filename.endswith(".dist-info/RECORD")
            new.writestr(item, (line if is_record else b"") + data)


setup(
    packages=[*find_packages(include=["dexman_pose", "dexman_pose.*"]), *DATA],
    package_dir=DATA,
    package_data={"dexman_pose": ["py.typed", "viewer/web/*"], **{name: ["*.yaml"] for name in DATA}},
    cmdclass={"editable_wheel": EditableWheel},
)
