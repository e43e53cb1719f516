// The estimate over the picture, drawn as lines: sharp at any size, each kind can be taken away.

const HALO = "rgba(12,14,18,.85)";

class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.grid = tableLines();
    this.prepare();
  }
  // Where the curves of every frame and item begin.
  prepare() {
    const counts = data["drawn.counts"], lengths = data["drawn.lengths"];
    this.items = meta.objects.length + meta.labels.length;
    const firsts = (this.firsts = new Uint32Array(counts.length + 1));
    for (let i = 0; i < counts.length; i++) firsts[i + 1] = firsts[i] + counts[i];
    const starts = (this.starts = new Uint32Array(lengths.length + 1));
    for (let i = 0; i < lengths.length; i++) starts[i + 1] = starts[i] + lengths[i];
  }
  pixel(p) {
    const [fx, fy, cx, cy] = meta.focal;
    return [(fx * p[0] + meta.skew * p[1]) / p[2] + cx, (fy * p[1]) / p[2] + cy];
  }
  path(i, item) {
    const out = new Path2D(), points = data["drawn.points"], at = i * this.items + item;
    for (let c = this.firsts[at]; c < this.firsts[at + 1]; c++) {
      for (let k = this.starts[c]; k < this.starts[c + 1]; k++) {
        const x = points[2 * k] / 8, y = points[2 * k + 1] / 8;
        if (k === this.starts[c]) out.moveTo(x, y);
        else out.lineTo(x, y);
      }
      out.closePath();
    }
    return out;
  }
  draw(i, source, layers) {
    const { canvas } = this, [w, h] = meta.size;
    const wide = Math.max(1, Math.round(canvas.clientWidth * Math.min(window.devicePixelRatio || 1, 2)));
    const tall = Math.max(1, Math.round((wide * h) / w));
    if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
    const g = canvas.getContext("2d"), s = wide / w;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.fillStyle = "#101215";
    g.fillRect(0, 0, wide, tall);
    if (source) g.drawImage(source, 0, 0, wide, tall);
    g.setTransform(s, 0, 0, s, 0.5 * s, 0.5 * s); // pixel (0, 0) is the middle of the first one
    g.lineJoin = g.lineCap = "round";
    this.unit = Math.max(1, 1.5 / s);
    if (layers.table) this.drawTable(g);
    if (layers.tint) this.drawTint(g, i);
    if (layers.outline) this.drawOutlines(g, i);
    if (layers.axes) this.drawAxes(g, i);
    if (layers.hands) this.drawHands(g, i);
    if (layers.contacts) this.drawContacts(g, i);
  }
  stroke(g, path, color, width, dash = []) {
    g.setLineDash(dash.map((v) => v * this.unit));
    g.strokeStyle = HALO;
    g.lineWidth = (width + 1.4) * this.unit;
    g.stroke(path);
    g.strokeStyle = color;
    g.lineWidth = width * this.unit;
    g.stroke(path);
    g.setLineDash([]);
  }
  line(g, a, b, color, width) {
    const path = new Path2D();
    path.moveTo(...a);
    path.lineTo(...b);
    this.stroke(g, path, color, width);
  }
  drawTable(g) {
    g.strokeStyle = "rgba(170,175,180,.55)";
    g.lineWidth = 0.7 * this.unit;
    g.beginPath();
    for (const [a, b] of this.grid) {
      if (a[2] > 0.05 && b[2] > 0.05) {
        g.moveTo(...this.pixel(a));
        g.lineTo(...this.pixel(b));
      }
    }
    g.stroke();
  }
  drawTint(g, i) {
    g.globalAlpha = 0.34;
    meta.labels.forEach(({ color }, k) => {
      g.fillStyle = color;
      g.fill(this.path(i, meta.objects.length + k), "evenodd");
    });
    g.globalAlpha = 1;
  }
  drawOutlines(g, i) {
    meta.objects.forEach((object, k) => {
      if (data[`object${k}.valid`][i]) this.stroke(g, this.path(i, k), object.color, 1.6);
      else this.stroke(g, this.path(i, k), faded(object.color), 1.4, [5, 5]);
    });
  }
  drawAxes(g, i) {
    meta.objects.forEach((object, k) => {
      if (!data[`object${k}.valid`][i]) return;
      const pose = poseOf(`object${k}`, i), c = object.center;
      const ends = [0, 1, 2].map((a) => moved(pose, c.map((v, b) => v + (a === b ? 0.4 * object.radius : 0))));
      const middle = moved(pose, c);
      if (middle[2] <= 0.01 || ends.some((p) => p[2] <= 0.01)) return;
      const order = [0, 1, 2].sort((a, b) => ends[b][2] - ends[a][2]); // what points at us, last
      for (const a of order) this.line(g, this.pixel(middle), this.pixel(ends[a]), meta.axis_colors[a], 1.8);
    });
  }
  drawHands(g, i) {
    for (const { side, color } of meta.hands) {
      const state = handState(side, i);
      if (!state) continue;
      const joints = jointsOf(side, i), bridged = state === 2, shade = bridged ? faded(color) : color;
      const pixels = joints.map((p) => (p[2] > 0.01 ? this.pixel(p) : null));
      meta.parents.forEach((parent, j) => {
        if (parent >= 0 && pixels[j] && pixels[parent]) {
          this.line(g, pixels[j], pixels[parent], shade, bridged ? 0.9 : 1.7);
        }
      });
      for (const at of pixels) if (at) this.disc(g, at, this.size(pixels), shade, bridged);
    }
  }
  drawContacts(g, i) {
    for (const { side } of meta.hands) {
      if (!handState(side, i)) continue;
      const joints = jointsOf(side, i);
      const pixels = joints.map((p) => (p[2] > 0.01 ? this.pixel(p) : null));
      for (const [j, object] of touching(side, i)) {
        if (!pixels[j]) continue;
        const radius = 1.9 * this.size(pixels), color = object < 0 ? meta.grey : meta.objects[object].color;
        g.beginPath();
        g.arc(...pixels[j], radius, 0, 7);
        g.fillStyle = color;
        g.fill();
        g.strokeStyle = "#fff";
        g.lineWidth = 1.3 * this.unit;
        g.stroke();
      }
    }
  }
  disc(g, at, radius, color, hollow) {
    g.beginPath();
    g.arc(...at, radius, 0, 7);
    g.fillStyle = hollow ? HALO : color;
    g.fill();
    g.strokeStyle = hollow ? color : HALO;
    g.lineWidth = 0.9 * this.unit;
    g.stroke();
  }
  size(pixels) { // joints of a hand far away do not cover it
    const there = pixels.filter(Boolean), span = [0, 1].map((k) => {
      const values = there.map((p) => p[k]);
      return Math.max(...values) - Math.min(...values);
    });
    return 2.4 * this.unit * Math.min(1, Math.max(0.45, Math.max(...span) / (90 * this.unit)));
  }
}

function faded(color) {
  const mix = (at) => Math.round(0.4 * parseInt(color.slice(at, at + 2), 16) + 0.6 * 150);
  return `rgb(${mix(1)},${mix(3)},${mix(5)})`;
}
