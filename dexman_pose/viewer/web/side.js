// The scene from the left of the camera, to scale: how far away, how high. Needs no WebGL.

class Side {
  constructor(canvas) {
    this.canvas = canvas;
    const n = meta.frames.length;
    this.some = [...new Set([0, 1, 2, 3, 4, 5].map((k) => Math.round((k * (n - 1)) / 5)))];
    this.points = meta.objects.map((_, k) => {
      const v = data[`object${k}.vertices`], step = Math.max(1, Math.floor(v.length / 3 / 400)), out = [];
      for (let i = 0; i < v.length / 3; i += step) out.push([v[3 * i], v[3 * i + 1], v[3 * i + 2]]);
      return out;
    });
  }
  seen(p) {
    if (!meta.table) return [p[2], -p[1]];
    const q = moved(worldPose, p);
    return [q[1], q[2]];
  }
  draw(i, layers) {
    const { canvas } = this, dpr = Math.min(window.devicePixelRatio || 1, 2);
    const wide = Math.round(canvas.clientWidth * dpr), tall = Math.round(canvas.clientHeight * dpr);
    if (!wide || !meta.bounds) return;
    if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
    const g = canvas.getContext("2d");
    g.setTransform(dpr, 0, 0, dpr, 0, 0);
    this.fit(wide / dpr, tall / dpr);
    const style = getComputedStyle(canvas);
    this.ink = style.getPropertyValue("--ink");
    this.soft = style.getPropertyValue("--soft");
    this.rule = style.getPropertyValue("--line");
    g.clearRect(0, 0, wide, tall);
    g.lineJoin = g.lineCap = "round";
    this.drawAxes(g);
    this.some.forEach((k, order) => this.drawFrame(g, k, layers, 0.12 + (0.16 * order) / this.some.length, 0.8));
    this.drawFrame(g, i, layers, 1, 2);
  }
  fit(w, h) {
    const [x0, y0, x1, y1] = meta.bounds, left = 46, right = 12, top = 14, bottom = 40;
    const room = [w - left - right, h - top - bottom], size = [x1 - x0 || 0.1, y1 - y0 || 0.1];
    const s = 0.94 * Math.min(room[0] / size[0], room[1] / size[1]);
    const mid = [left + room[0] / 2, top + room[1] / 2];
    this.place = ([x, y]) => [mid[0] + s * (x - (x0 + x1) / 2), mid[1] - s * (y - (y0 + y1) / 2)];
    this.range = [0, 1].map((k) => [-1, 1].map((sign) => (k ? y0 + y1 : x0 + x1) / 2 + (sign * room[k]) / 2 / s));
    this.box = { left, top, right: w - right, bottom: h - bottom, w, h };
  }
  ticks([low, high], most) {
    const rough = (high - low) / most, scale = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((v) => v * scale).find((v) => v >= rough), out = [];
    for (let k = Math.ceil(low / step); k * step <= high; k++) out.push(k * step);
    return { step, out, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  }
  drawAxes(g) {
    const { left, top, right, bottom, h } = this.box;
    g.font = "11px system-ui, sans-serif";
    g.lineWidth = 1;
    const across = this.ticks(this.range[0], Math.max(2, (right - left) / 70));
    const up = this.ticks(this.range[1], Math.max(2, (bottom - top) / 40));
    g.strokeStyle = this.rule;
    g.fillStyle = this.soft;
    g.textAlign = "center";
    for (const v of across.out) {
      const x = this.place([v, 0])[0];
      segment(g, x, top, x, bottom);
      g.fillText(v.toFixed(across.digits), x, bottom + 14);
    }
    g.textAlign = "right";
    for (const v of up.out) {
      const y = this.place([0, v])[1];
      segment(g, left, y, right, y);
      g.fillText(v.toFixed(up.digits), left - 6, y + 4);
    }
    g.textAlign = "center";
    g.fillText("away from the camera, which looks from the left (m)", (left + right) / 2, h - 8);
    g.save();
    g.translate(11, (top + bottom) / 2);
    g.rotate(-Math.PI / 2);
    g.fillText("height (m)", 0, 0);
    g.restore();
    if (meta.table) {
      g.strokeStyle = this.ink;
      g.lineWidth = 2;
      const y = this.place([0, 0])[1];
      segment(g, left, y, right, y);
    }
  }
  drawFrame(g, i, layers, alpha, width) {
    const { left, top, right, bottom } = this.box;
    g.save();
    g.beginPath();
    g.rect(left, top, right - left, bottom - top);
    g.clip();
    g.globalAlpha = alpha;
    g.lineWidth = width;
    meta.objects.forEach((object, k) => {
      const valid = data[`object${k}.valid`][i];
      if (!layers.outline || (!valid && alpha < 1)) return;
      const pose = poseOf(`object${k}`, i);
      if (!valid && (pose.t[2] < 0.01 || !layers.ghosts)) return;
      const hull = hullOf(this.points[k].map((p) => this.place(this.seen(moved(pose, p)))));
      g.strokeStyle = valid ? object.color : meta.grey;
      g.setLineDash(valid ? [] : [5, 4]);
      g.beginPath();
      hull.forEach((p, n) => (n ? g.lineTo(...p) : g.moveTo(...p)));
      g.closePath();
      if (alpha === 1 && valid) {
        g.globalAlpha = 0.14;
        g.fillStyle = object.color;
        g.fill();
        g.globalAlpha = 1;
      }
      g.stroke();
      g.setLineDash([]);
    });
    if (layers.hands) for (const hand of meta.hands) this.drawHand(g, hand, i, alpha, layers);
    g.restore();
  }
  drawHand(g, { side, color }, i, alpha, layers) {
    const state = handState(side, i);
    if (!state) return;
    const points = jointsOf(side, i).map((p) => this.place(this.seen(p)));
    g.strokeStyle = state === 2 ? faded(color) : color;
    for (const [j, parent] of meta.parents.entries()) {
      if (parent >= 0) segment(g, ...points[parent], ...points[j]);
    }
    if (alpha < 1 || !layers.contacts) return;
    for (const [j, object] of touching(side, i)) {
      g.beginPath();
      g.arc(...points[j], 4, 0, 7);
      g.fillStyle = object < 0 ? meta.grey : meta.objects[object].color;
      g.fill();
      g.strokeStyle = "#fff";
      g.lineWidth = 1.4;
      g.stroke();
      g.lineWidth = 2;
    }
  }
}

function segment(g, x0, y0, x1, y1) {
  g.beginPath();
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.stroke();
}

// The corners of the convex hull of points in the plane, in order (Andrew's monotone chain).
function hullOf(points) {
  const sorted = points.slice().sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (list) => {
    const out = [];
    for (const p of list) {
      while (out.length > 1) {
        const [a, b] = out.slice(-2);
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
        out.pop();
      }
      out.push(p);
    }
    out.pop();
    return out;
  };
  return [...half(sorted), ...half(sorted.reverse())];
}
