// The pictures: single JPEGs, or a film that is jumped about in.

class Jpegs {
  constructor(bytes, changed) {
    Object.assign(this, { bytes, changed, kept: new Map(), asked: new Set(), last: null, failed: "" });
  }
  at(i) {
    const k = Math.floor(i / meta.pictures.every);
    const found = this.kept.get(k);
    if (found) {
      this.kept.delete(k);
      this.kept.set(k, found); // the most recent one last
      return (this.last = found);
    }
    if (!this.asked.has(k)) this.load(k);
    return this.last;
  }
  load(k) {
    this.asked.add(k);
    const { ends } = meta.pictures;
    const part = new Blob([this.bytes.subarray(k ? ends[k - 1] : 0, ends[k])], { type: "image/jpeg" });
    createImageBitmap(part).then((picture) => {
      this.kept.set(k, picture);
      if (this.kept.size > 80) {
        const [first, old] = this.kept.entries().next().value;
        this.kept.delete(first);
        old.close();
      }
      this.changed();
    }).catch(() => { this.failed = "A picture cannot be shown."; this.changed(); })
      .finally(() => this.asked.delete(k));
  }
  playing() { return null; }
  play() {}
  pause() {}
}

class Film {
  constructor(bytes, changed) {
    this.failed = "";
    this.changed = changed;
    this.wanted = 0;
    const video = (this.video = document.createElement("video"));
    video.muted = video.playsInline = true;
    video.preload = "auto";
    video.addEventListener("error", () => {
      this.failed = "This browser cannot play the film in this page (H.264). All else follows the frame.";
      changed();
    });
    video.addEventListener("seeked", () => { this.seek(); changed(); });
    video.addEventListener("loadeddata", () => { this.seek(); changed(); });
    video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  }
  time(i) { // the middle of the frame: its edges belong to two
    const t = meta.times, n = t.length;
    const step = i + 1 < n ? t[i + 1] - t[i] : n > 1 ? t[n - 1] - t[n - 2] : 0.04;
    return t[i] - t[0] + 0.5 * step;
  }
  seek() {
    const time = this.time(this.wanted);
    if (this.video.paused && !this.video.seeking && Math.abs(this.video.currentTime - time) > 1e-4) {
      this.video.currentTime = time;
    }
  }
  at(i) {
    this.wanted = i;
    if (this.video.readyState >= 1) this.seek();
    return this.video.readyState >= 2 ? this.video : null;
  }
  playing() { // the frame that the film shows by itself
    if (this.failed || this.video.paused) return null;
    return frameAt(this.video.currentTime + meta.times[0]);
  }
  play(rate) {
    if (this.failed) return;
    this.video.playbackRate = rate;
    this.video.currentTime = this.time(this.wanted);
    this.video.play().catch(() => {});
  }
  pause() {
    this.video.pause();
    this.seek();
  }
}

function picturesOf(changed) {
  const kind = meta.pictures ? meta.pictures.kind : "";
  if (kind === "jpeg") return new Jpegs(bytesOf("replay-pictures"), changed);
  if (kind === "mp4") return new Film(bytesOf("replay-pictures"), changed);
  return { at: () => null, playing: () => null, play() {}, pause() {}, failed: "The pictures are not in this page." };
}
