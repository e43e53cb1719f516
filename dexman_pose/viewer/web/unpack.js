// What Python put into the page: plain values, and arrays in one compressed block.

const byId = (id) => document.getElementById(id);
const meta = JSON.parse(byId("replay-meta").textContent);
const KINDS = { u1: Uint8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array, f4: Float32Array };
const UNKNOWN = -32768;

function bytesOf(id) {
  const element = byId(id);
  if (!element) return new Uint8Array(0);
  const text = atob(element.textContent.trim());
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  element.remove();
  return out;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).arrayBuffer();
}

// Arrays by name. Rounded ones become real numbers again, NaN where nothing is known.
function arraysOf(buffer) {
  const out = {};
  for (const [name, entry] of Object.entries(meta.arrays)) {
    const raw = new KINDS[entry.kind](buffer, entry.at, entry.count);
    if (entry.step === undefined) {
      out[name] = raw;
    } else {
      const values = new Float32Array(raw.length);
      for (let i = 0; i < raw.length; i++) {
        values[i] = raw[i] === UNKNOWN ? NaN : raw[i] * entry.step + entry.middle;
      }
      out[name] = values;
    }
  }
  return out;
}

// ---- poses: rotations as rows of 3x3, points as [x, y, z]

function rotationOf(q, at) {
  let [w, x, y, z] = [q[at], q[at + 1], q[at + 2], q[at + 3]];
  const n = 1 / Math.hypot(w, x, y, z);
  w *= n; x *= n; y *= n; z *= n;
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ];
}

function poseOf(key, i) {
  const t = data[`${key}.at`];
  return { r: rotationOf(data[`${key}.turn`], 4 * i), t: [t[3 * i], t[3 * i + 1], t[3 * i + 2]] };
}

function moved(pose, p) {
  const { r, t } = pose;
  return [
    r[0] * p[0] + r[1] * p[1] + r[2] * p[2] + t[0],
    r[3] * p[0] + r[4] * p[1] + r[5] * p[2] + t[1],
    r[6] * p[0] + r[7] * p[1] + r[8] * p[2] + t[2],
  ];
}

const worldPose = {
  r: meta.world_from_camera.slice(0, 3).flatMap((row) => row.slice(0, 3)),
  t: meta.world_from_camera.slice(0, 3).map((row) => row[3]),
};
const cameraPose = {
  r: [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => worldPose.r[3 * j + i])),
  t: [0, 1, 2].map((i) => -[0, 1, 2].reduce((sum, j) => sum + worldPose.r[3 * j + i] * worldPose.t[j], 0)),
};

function jointsOf(side, i) {
  const all = data[`${side}.joints`], out = [];
  for (let j = 0; j < 21; j++) out.push([all[63 * i + 3 * j], all[63 * i + 3 * j + 1], all[63 * i + 3 * j + 2]]);
  return out;
}

const handState = (side, i) => data[`${side}.state`][i]; // 0 absent, 1 seen, 2 bridged

// Joints of one hand that touch something: [joint, object's index or -1].
function touching(side, i) {
  const out = [];
  meta.pairs.forEach(([who, object], k) => {
    if (who !== side) return;
    const bits = data[`pair${k}.touching`][i];
    for (let j = 0; j < 21; j++) if ((bits >>> j) & 1) out.push([j, object]);
  });
  return out;
}

// Lengths of what every frame shows, in grid of the table: pairs of points in the camera frame.
function tableLines() {
  if (!meta.table) return [];
  const { step, half } = meta.table, out = [], n = 20;
  for (let a = -half; a <= half + 1e-6; a += step) {
    for (let k = 0; k < n; k++) {
      const b = -half + (2 * half * k) / n, c = b + (2 * half) / n;
      out.push([[a, b, 0], [a, c, 0]], [[b, a, 0], [c, a, 0]]);
    }
  }
  return out.map((pair) => pair.map((p) => moved(cameraPose, p)));
}
