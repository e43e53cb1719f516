"""OBJ files: corners keep their texture coordinates, numbers keep all their digits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dexman_pose.data.files import write_bytes
from dexman_pose.data.frames.texture_png import coded_texture

if TYPE_CHECKING:
    from dexman_pose.data.mesh import Mesh

_JPEG = b"\xff\xd8"


def write_obj(path: str | Path, mesh: Mesh) -> Path:
    """Write a mesh as OBJ; with a texture an MTL and a picture of the same name beside it.

    Args:
        path: of the OBJ; its stem names the other files and the material.
        mesh: metres; colours of vertices are written behind their places, as many programs read them.

    Returns:
        The path.

    Raises:
        InputError: a place that cannot be written.
    """
    path = Path(path)
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in mesh.vertices.tolist()]
    if mesh.uv is None or mesh.texture is None:
        if mesh.vertex_colors is not None:
            shares = (mesh.vertex_colors / 255.0).tolist()
            lines = [f"{line} {r:.6f} {g:.6f} {b:.6f}" for line, (r, g, b) in zip(lines, shares)]
        lines += [f"f {a} {b} {c}" for a, b, c in (mesh.faces + 1).tolist()]
        return write_bytes(path, ("\n".join(lines) + "\n").encode())
    name = path.stem.replace(" ", "_")
    picture = texture_file(path.with_name(name), mesh)
    write_bytes(path.with_name(f"{name}.mtl"), _material(name, picture.name))
    lines = [f"mtllib {name}.mtl", *lines, f"usemtl {name}"]
    lines += [f"vt {u!r} {v!r}" for u, v in mesh.uv.reshape(-1, 2).tolist()]
    for k, (a, b, c) in enumerate((mesh.faces + 1).tolist()):
        lines.append(f"f {a}/{3 * k + 1} {b}/{3 * k + 2} {c}/{3 * k + 3}")
    return write_bytes(path, ("\n".join(lines) + "\n").encode())


def texture_file(stem: Path, mesh: Mesh, *, png: bool = False) -> Path:
    """Write a mesh's texture beside ``stem``, as the JPEG it came from or as PNG; returns the path.

    Args:
        stem: path without suffix.
        mesh: with a texture.
        png: as PNG in any case, for readers that know nothing else.
    """
    assert mesh.texture is not None
    data = coded_texture(mesh.texture).tobytes()
    if png and data.startswith(_JPEG):
        data = _png(mesh)
    suffix = ".jpg" if data.startswith(_JPEG) else ".png"
    return write_bytes(stem.with_name(stem.name + suffix), data)


def _png(mesh: Mesh) -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    assert mesh.texture is not None
    Image.fromarray(mesh.texture).save(buffer, "PNG")
    return buffer.getvalue()


def _material(name: str, picture: str) -> bytes:
    return f"newmtl {name}\nKa 1 1 1\nKd 1 1 1\nmap_Kd {picture}\n".encode()
