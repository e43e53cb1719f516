// The scene in three dimensions, drawn by three.js. Everything hangs below one node in the camera's frame.

class Scene {
  constructor(THREE, canvas) {
    this.THREE = THREE;
    this.canvas = canvas;
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
    this.scene = new THREE.Scene();
    this.eye = new THREE.PerspectiveCamera(40, 1, 0.01, 100);
    this.root = new THREE.Group();
    this.root.matrixAutoUpdate = false;
    this.root.matrix.copy(this.upright());
    this.scene.add(this.root);
    this.lights();
    this.objects = meta.objects.map((object, k) => this.object(object, k));
    this.hands = meta.hands.map((hand) => this.hand(hand));
    this.marks = this.contactMarks();
    this.table();
    this.paths();
    this.frustum();
    this.look("orbit");
    this.listen();
  }
  // three.js has y up: the world's z where there is a table, else the camera's -y.
  upright() {
    const { THREE } = this;
    if (!meta.table) return new THREE.Matrix4().makeScale(1, -1, -1);
    const turned = new THREE.Matrix4().set(1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1);
    return turned.multiply(new THREE.Matrix4().set(...meta.world_from_camera.flat()));
  }
  lights() {
    const { THREE } = this;
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x8d8f96, 2.1));
    const sun = new THREE.DirectionalLight(0xffffff, 1.6);
    sun.position.set(-0.6, 1.5, 0.8);
    this.scene.add(sun);
  }
  geometry(key, vertices) {
    const { THREE } = this, out = new THREE.BufferGeometry();
    out.setAttribute("position", new THREE.BufferAttribute(vertices, 3));
    out.setIndex(new THREE.BufferAttribute(data[`${key}.faces`], 1));
    out.computeVertexNormals();
    return out;
  }
  object(object, k) {
    const { THREE } = this, key = `object${k}`;
    const shape = this.geometry(key, data[`${key}.vertices`]);
    const solid = new THREE.MeshStandardMaterial({ roughness: 0.8, side: THREE.DoubleSide });
    if (object.texture) {
      shape.setAttribute("uv", new THREE.BufferAttribute(data[`${key}.uv`], 2));
      const picture = new Image();
      const texture = new THREE.Texture(picture);
      texture.colorSpace = THREE.SRGBColorSpace;
      texture.wrapS = texture.wrapT = THREE.RepeatWrapping;
      picture.onload = () => { texture.needsUpdate = true; this.changed(); };
      picture.src = `data:image/jpeg;base64,${object.texture}`;
      solid.map = texture;
    } else if (data[`${key}.colors`]) {
      const linear = Float32Array.from(data[`${key}.colors`], (v) => (v / 255) ** 2.2);
      shape.setAttribute("color", new THREE.BufferAttribute(linear, 3));
      solid.vertexColors = true;
    } else {
      solid.color.set(object.color);
    }
    const ghost = new THREE.MeshStandardMaterial({
      color: meta.grey, transparent: true, opacity: 0.28, depthWrite: false, side: THREE.DoubleSide,
    });
    const mesh = new THREE.Mesh(shape, solid);
    mesh.matrixAutoUpdate = false;
    const axes = this.axes(object);
    mesh.add(axes);
    this.root.add(mesh);
    return { mesh, solid, ghost, axes };
  }
  axes(object) {
    const { THREE } = this, points = [], colors = [];
    for (let a = 0; a < 3; a++) {
      const end = object.center.map((v, b) => v + (a === b ? 0.9 * object.radius : 0));
      points.push(...object.center, ...end);
      const color = new THREE.Color(meta.axis_colors[a]);
      colors.push(...color.toArray(), ...color.toArray());
    }
    const lines = this.lines(points, { vertexColors: true, depthTest: false });
    lines.geometry.setAttribute("color", new THREE.Float32BufferAttribute(colors, 3));
    lines.renderOrder = 2;
    return lines;
  }
  lines(points, look) {
    const { THREE } = this, shape = new THREE.BufferGeometry();
    shape.setAttribute("position", new THREE.Float32BufferAttribute(points, 3));
    return new THREE.LineSegments(shape, new THREE.LineBasicMaterial(look));
  }
  hand({ side, color }) {
    const { THREE } = this, group = new THREE.Group();
    const look = new THREE.MeshStandardMaterial({ color, roughness: 0.7, transparent: true, side: THREE.DoubleSide });
    this.root.add(group);
    if (data[`${side}.rest`]) {
      const skin = new THREE.Mesh(this.geometry(side, new Float32Array(data[`${side}.rest`])), look);
      skin.frustumCulled = false;
      group.add(skin);
      return { group, look, skin };
    }
    const ball = new THREE.SphereGeometry(0.006, 12, 8), rod = new THREE.CylinderGeometry(0.0045, 0.0045, 1, 10);
    const balls = meta.parents.map(() => new THREE.Mesh(ball, look));
    const rods = meta.parents.map((parent) => (parent < 0 ? null : new THREE.Mesh(rod, look)));
    group.add(...balls, ...rods.filter(Boolean));
    return { group, look, balls, rods };
  }
  contactMarks() {
    const { THREE } = this, out = [], ball = new THREE.SphereGeometry(0.005, 14, 10);
    for (let k = 0; k < 42; k++) {
      const rim = new THREE.Mesh(ball, new THREE.MeshBasicMaterial({ color: 0xffffff, depthTest: false, transparent: true }));
      const mark = new THREE.Mesh(ball, new THREE.MeshBasicMaterial({ depthTest: false, transparent: true }));
      rim.scale.setScalar(1.35);
      rim.renderOrder = 3;
      mark.renderOrder = 4;
      this.root.add(rim, mark);
      out.push([mark, rim]);
    }
    return out;
  }
  table() {
    const { THREE } = this;
    this.tableNode = new THREE.Group();
    this.root.add(this.tableNode);
    if (!meta.table) return;
    this.tableNode.add(this.lines(tableLines().flat(2), { color: 0x8d939c, transparent: true, opacity: 0.55 }));
    const h = meta.table.half, corners = [[-h, -h, 0], [h, -h, 0], [h, h, 0], [-h, h, 0]];
    const shape = new THREE.BufferGeometry();
    shape.setAttribute("position", new THREE.Float32BufferAttribute(corners.flatMap((p) => moved(cameraPose, p)), 3));
    shape.setIndex([0, 1, 2, 0, 2, 3]);
    const look = { color: 0x8d939c, transparent: true, opacity: 0.14, side: THREE.DoubleSide, depthWrite: false };
    this.tableNode.add(new THREE.Mesh(shape, new THREE.MeshBasicMaterial(look)));
  }
  // The way of every object's middle, with gaps where its pose is not valid.
  paths() {
    const { THREE } = this;
    this.pathNode = new THREE.Group();
    this.root.add(this.pathNode);
    meta.objects.forEach((object, k) => {
      const points = [], valid = data[`object${k}.valid`];
      for (let i = 1; i < valid.length; i++) {
        if (!valid[i] || !valid[i - 1]) continue;
        points.push(...moved(poseOf(`object${k}`, i - 1), object.center), ...moved(poseOf(`object${k}`, i), object.center));
      }
      this.pathNode.add(this.lines(points, { color: object.color, transparent: true, opacity: 0.8 }));
    });
  }
  frustum() {
    const [fx, fy, cx, cy] = meta.focal, [w, h] = meta.size, d = 0.1;
    const corners = [[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]];
    const ends = corners.map(([u, v]) => [(d * (u - cx)) / fx, (d * (v - cy)) / fy, d]);
    const points = ends.flatMap((p, k) => [0, 0, 0, ...p, ...p, ...ends[(k + 1) % 4]]);
    const top = (ends[0][0] + ends[1][0]) / 2, rise = 0.18 * (ends[3][1] - ends[0][1]);
    for (const side of [0, 1]) points.push(...ends[side], top, ends[0][1] - rise, d); // which way is up
    this.frustumNode = this.lines(points, { color: 0xc2702a });
    this.root.add(this.frustumNode);
  }

  // ---- one frame

  show(i, layers) {
    this.objects.forEach(({ mesh, solid, ghost, axes }, k) => {
      const valid = !!data[`object${k}.valid`][i], pose = poseOf(`object${k}`, i), { r, t } = pose;
      mesh.visible = layers.outline && (valid || (layers.ghosts && t[2] > 0.01));
      mesh.material = valid ? solid : ghost;
      axes.visible = layers.axes && valid;
      mesh.matrix.set(r[0], r[1], r[2], t[0], r[3], r[4], r[5], t[1], r[6], r[7], r[8], t[2], 0, 0, 0, 1);
      mesh.matrixWorldNeedsUpdate = true;
    });
    meta.hands.forEach(({ side, color }, k) => {
      const hand = this.hands[k], state = handState(side, i);
      hand.group.visible = layers.hands && state > 0;
      if (!hand.group.visible) return;
      hand.look.color.set(state === 2 ? faded(color) : color);
      hand.look.opacity = state === 2 ? 0.4 : 0.92;
      if (hand.skin) this.bend(hand.skin.geometry, side, i);
      else this.lay(hand, jointsOf(side, i));
    });
    this.showContacts(i, layers.contacts);
    this.tableNode.visible = layers.table;
    this.pathNode.visible = layers.paths;
    this.frustumNode.visible = this.view !== "filmed";
    this.render();
  }
  // Linear blend skinning: a vertex goes where its bones carry it.
  bend(shape, side, i) {
    const rest = data[`${side}.rest`], bone = data[`${side}.bone`], weight = data[`${side}.weight`];
    const at = data[`${side}.bone_at`], turn = data[`${side}.bone_turn`], out = shape.attributes.position.array;
    const bones = [];
    for (let b = 0; b < 16; b++) {
      const k = 16 * i + b;
      bones.push({ r: rotationOf(turn, 4 * k), t: [at[3 * k], at[3 * k + 1], at[3 * k + 2]] });
    }
    for (let v = 0; v < rest.length / 3; v++) {
      const p = [rest[3 * v], rest[3 * v + 1], rest[3 * v + 2]];
      let x = 0, y = 0, z = 0, sum = 0;
      for (let n = 4 * v; n < 4 * v + 4; n++) {
        if (!weight[n]) continue;
        const q = moved(bones[bone[n]], p);
        x += weight[n] * q[0]; y += weight[n] * q[1]; z += weight[n] * q[2];
        sum += weight[n];
      }
      out[3 * v] = x / sum; out[3 * v + 1] = y / sum; out[3 * v + 2] = z / sum;
    }
    shape.attributes.position.needsUpdate = true;
    shape.computeVertexNormals();
  }
  lay({ balls, rods }, joints) {
    const { THREE } = this, up = new THREE.Vector3(0, 1, 0);
    meta.parents.forEach((parent, j) => {
      balls[j].position.set(...joints[j]);
      if (!rods[j]) return;
      const a = new THREE.Vector3(...joints[parent]), b = new THREE.Vector3(...joints[j]), along = b.clone().sub(a);
      rods[j].position.copy(a).add(b).multiplyScalar(0.5);
      rods[j].scale.set(1, Math.max(along.length(), 1e-6), 1);
      rods[j].quaternion.setFromUnitVectors(up, along.normalize());
    });
  }
  showContacts(i, on) {
    let used = 0;
    for (const { side } of on ? meta.hands : []) {
      if (!handState(side, i)) continue;
      const joints = jointsOf(side, i);
      for (const [j, object] of touching(side, i)) {
        if (used >= this.marks.length) break;
        const [mark, rim] = this.marks[used++];
        mark.material.color.set(object < 0 ? meta.grey : meta.objects[object].color);
        for (const part of [mark, rim]) {
          part.position.set(...joints[j]);
          part.visible = true;
        }
      }
    }
    for (const [mark, rim] of this.marks.slice(used)) mark.visible = rim.visible = false;
  }

  // ---- where it is seen from

  // The middle of what moves, in three.js's axes, and its radius.
  focus() {
    const { THREE } = this, box = new THREE.Box3();
    meta.objects.forEach((object, k) => {
      const valid = data[`object${k}.valid`];
      for (let i = 0; i < valid.length; i++) {
        if (valid[i]) box.expandByPoint(new THREE.Vector3(...moved(poseOf(`object${k}`, i), object.center)));
      }
    });
    for (const { side } of meta.hands) {
      for (let i = 0; i < meta.frames.length; i += 5) {
        if (handState(side, i)) box.expandByPoint(new THREE.Vector3(...jointsOf(side, i)[9]));
      }
    }
    if (box.isEmpty()) box.expandByPoint(new THREE.Vector3(0, 0, 0.5));
    box.applyMatrix4(this.root.matrix);
    const far = box.getSize(new THREE.Vector3()).length() / 2;
    return { middle: box.getCenter(new THREE.Vector3()), reach: Math.max(far, 0.12) + 0.08 };
  }
  look(view) {
    const { middle, reach } = this.focus(), { THREE } = this;
    this.view = view;
    this.target = middle;
    this.distance = 2.1 * reach + 0.1;
    const away = new THREE.Vector3(0, 0, 1).transformDirection(this.root.matrix); // where the camera looks
    const heading = Math.atan2(-away.x, -away.z);
    const turns = { orbit: [heading + 0.75, 1.1], side: [heading - Math.PI / 2, Math.PI / 2], top: [heading, 0.001] };
    [this.around, this.down] = turns[view] || [heading, 1.2];
  }
  aim() {
    const { THREE, canvas, eye } = this, wide = canvas.clientWidth, tall = canvas.clientHeight;
    if (this.view === "filmed") {
      const pose = this.root.matrix.clone().multiply(new THREE.Matrix4().makeScale(1, -1, -1));
      pose.decompose(eye.position, eye.quaternion, new THREE.Vector3());
      const [fx, fy, cx, cy] = meta.focal, [w, h] = meta.size, n = 0.01;
      const left = (-n * (cx + 0.5)) / fx, top = (n * (cy + 0.5)) / fy;
      eye.projectionMatrix.makePerspective(left, left + (n * w) / fx, top, top - (n * h) / fy, n, 100);
      eye.projectionMatrixInverse.copy(eye.projectionMatrix).invert();
      return;
    }
    const sin = Math.sin(this.down);
    const off = new THREE.Vector3(sin * Math.sin(this.around), Math.cos(this.down), sin * Math.cos(this.around));
    eye.position.copy(this.target).addScaledVector(off, this.distance);
    eye.up.set(0, 1, 0);
    eye.lookAt(this.target);
    eye.aspect = wide / Math.max(tall, 1);
    eye.updateProjectionMatrix();
  }
  render() {
    const { canvas, renderer } = this, wide = canvas.clientWidth, tall = canvas.clientHeight;
    if (!wide) return;
    renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    renderer.setSize(wide, tall, false);
    renderer.setClearColor(getComputedStyle(canvas).getPropertyValue("--well").trim() || "#eef0f3");
    this.aim();
    renderer.render(this.scene, this.eye);
  }
  free() { // from the filmed view on, keep looking from about there
    if (this.view === "filmed") this.look("near");
    this.view = "free";
    this.changed();
  }
  turn(dx, dy) {
    this.free();
    this.around -= 0.008 * dx;
    this.down = Math.min(Math.PI - 0.001, Math.max(0.001, this.down - 0.008 * dy));
  }
  shift(dx, dy) {
    this.free();
    const { THREE } = this, step = (this.distance * 0.75) / Math.max(this.canvas.clientHeight, 1);
    const across = new THREE.Vector3().setFromMatrixColumn(this.eye.matrixWorld, 0);
    const up = new THREE.Vector3().setFromMatrixColumn(this.eye.matrixWorld, 1);
    this.target.addScaledVector(across, -step * dx).addScaledVector(up, step * dy);
  }
  zoom(factor) {
    this.free();
    this.distance = Math.min(30, Math.max(0.03, this.distance * factor));
  }
  listen() {
    const { canvas } = this, down = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      down.set(event.pointerId, [event.clientX, event.clientY]);
      canvas.setPointerCapture(event.pointerId);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => down.delete(event.pointerId));
    }
    canvas.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const now = [event.clientX, event.clientY], dx = now[0] - before[0], dy = now[1] - before[1];
      if (down.size === 2) {
        const [, other] = [...down.entries()].find(([id]) => id !== event.pointerId);
        const far = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
        this.zoom(far(before) / Math.max(far(now), 1));
        this.shift(dx / 2, dy / 2);
      } else if (event.shiftKey || event.buttons & 6) this.shift(dx, dy);
      else this.turn(dx, dy);
      down.set(event.pointerId, now);
      this.changed();
    });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return; // the page scrolls until the scene is chosen
      event.preventDefault();
      this.zoom(Math.exp(0.0012 * event.deltaY));
      this.changed();
    }, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }
}

async function sceneOf(canvas) {
  // Asked of another canvas first: three.js writes errors where there is no WebGL.
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("no WebGL");
  const code = new Blob([await inflated(bytesOf("replay-three"))], { type: "text/javascript" });
  const address = URL.createObjectURL(code);
  try {
    return new Scene(await import(address), canvas);
  } finally {
    URL.revokeObjectURL(address);
  }
}
