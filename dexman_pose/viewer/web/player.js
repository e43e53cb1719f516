// The frame that is shown, everything that follows it, and the hands on the controls.

let data = {};
const state = { frame: 0, playing: false, rate: 1, began: 0, from: 0 };
const layers = {};
const parts = { pictures: null, drawing: null, scene: null, side: null };
const last = meta.frames.length - 1;
const slider = byId("frame"), playButton = byId("play");
let waiting = false;

function frameAt(time) { // the last frame that begins at or before a time
  const t = meta.times;
  let low = 0, high = t.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (t[middle] <= time + 1e-6) low = middle;
    else high = middle - 1;
  }
  return low;
}

function show(i) {
  state.frame = Math.min(last, Math.max(0, i));
  redraw();
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paint(); });
}

function paint() {
  const i = state.frame, frame = meta.frames[i], time = meta.times[i];
  slider.value = i;
  slider.setAttribute("aria-valuetext", `frame ${frame}, ${time.toFixed(2)} seconds`);
  byId("where").textContent = `frame ${frame} / ${meta.total - 1}   ${time.toFixed(3)} s`;
  document.body.dataset.frame = frame;
  moveCursors(time);
  if (!parts.drawing) return;
  parts.drawing.draw(i, parts.pictures.at(i), layers);
  tell("picture-note", parts.pictures.failed);
  if (parts.scene) parts.scene.show(i, layers);
  parts.side.draw(i, layers);
  tellNow(i);
  for (const output of document.querySelectorAll("output[data-curve]")) {
    const value = data[output.dataset.curve] ? data[output.dataset.curve][i] : NaN;
    output.textContent = Number.isNaN(value) ? "-" : value.toFixed(Number(output.dataset.digits));
  }
}

function tell(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

function moveCursors(time) {
  const [start, end] = meta.axis;
  const share = (100 * (time - start)) / (end - start);
  for (const cursor of document.querySelectorAll(".cursor")) cursor.style.left = `${share}%`;
}

// ---- what is known of this frame, in words

function tellNow(i) {
  const rows = meta.objects.map((object, k) => {
    const valid = data[`object${k}.valid`][i], doubt = data[`object${k}.doubt`], iou = data[`object${k}.iou`];
    const words = [valid ? "valid" : "not valid", `confidence ${data[`object${k}.confidence`][i].toFixed(2)}`];
    if (iou) words.push(`mask IoU ${iou[i].toFixed(2)}`);
    const why = doubt ? meta.doubts.filter(([code]) => doubt[i] & code).map(([, text]) => text) : [];
    return [object.color, object.name, words.concat(why).join(", "), !valid];
  });
  for (const { side, color } of meta.hands) {
    const seen = handState(side, i);
    rows.push([color, `${side} hand`, seen ? handWords(side, i, seen === 2) : "not seen", !seen]);
  }
  byId("now").replaceChildren(...rows.map(([color, name, text, dim]) => {
    const row = document.createElement("div");
    row.className = dim ? "dim" : "";
    const mark = document.createElement("span"), term = document.createElement("dt");
    mark.className = "mark";
    mark.style.background = color;
    term.append(mark, name);
    const words = document.createElement("dd");
    words.textContent = text;
    row.append(term, words);
    return row;
  }));
}

function handWords(side, i, bridged) {
  const held = [];
  meta.pairs.forEach(([who, , name], k) => {
    const bits = who === side ? data[`pair${k}.touching`][i] : 0;
    const fingers = [...new Set(meta.fingers.filter((_, j) => (bits >>> j) & 1))].filter((f) => f !== "wrist");
    if (bits & 1) fingers.push("wrist");
    if (bits) held.push(`${name} (${fingers.join(", ")})`);
  });
  return (held.length ? `touches ${held.join(", ")}` : "no contact") + (bridged ? ", bridged" : "");
}

// ---- playing

function setPlaying(on) {
  state.playing = on;
  playButton.textContent = on ? "Pause" : "Play";
  playButton.setAttribute("aria-pressed", String(on));
  if (!on) { parts.pictures.pause(); return redraw(); }
  if (state.frame === last) state.frame = 0;
  restart();
  requestAnimationFrame(tick);
}

function restart() {
  state.from = meta.times[state.frame];
  state.began = performance.now();
  parts.pictures.at(state.frame);
  parts.pictures.play(state.rate);
}

function tick(now) {
  if (!state.playing) return;
  const end = meta.axis[1], shown = parts.pictures.playing();
  const time = state.from + (state.rate * (now - state.began)) / 1000;
  const next = shown === null ? frameAt(time) : shown;
  if ((shown === null && time >= end) || (shown !== null && parts.pictures.video.ended)) {
    state.frame = 0;
    parts.pictures.pause();
    restart();
  } else if (next !== state.frame) {
    state.frame = next;
    paint();
  }
  requestAnimationFrame(tick);
}

function jump(i) {
  if (state.playing) setPlaying(false);
  show(i);
}

const indexOf = (frame) => meta.frames.reduce((best, f, i) => (f <= frame ? i : best), 0);

// ---- controls

function listen() {
  slider.addEventListener("input", () => jump(Number(slider.value)));
  byId("back").addEventListener("click", () => jump(state.frame - 1));
  byId("on").addEventListener("click", () => jump(state.frame + 1));
  playButton.addEventListener("click", () => setPlaying(!state.playing));
  byId("rate").addEventListener("change", (event) => {
    state.rate = Number(event.target.value);
    if (state.playing) { parts.pictures.pause(); restart(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, textarea, summary, a")) return;
    const pressed = event.target.closest("button");
    const step = event.shiftKey ? 10 : 1;
    const act = {
      " ": pressed ? null : () => setPlaying(!state.playing),
      ArrowLeft: () => jump(state.frame - step),
      ArrowRight: () => jump(state.frame + step),
      Home: () => jump(0),
      End: () => jump(last),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".jump");
    if (link) jump(indexOf(Number(link.dataset.frame)));
  });
  for (const field of document.querySelectorAll(".field")) {
    const at = (event) => {
      const box = field.getBoundingClientRect(), [start, end] = meta.axis;
      jump(frameAt(start + ((end - start) * (event.clientX - box.left)) / box.width));
    };
    field.addEventListener("pointerdown", (event) => { field.setPointerCapture(event.pointerId); at(event); });
    field.addEventListener("pointermove", (event) => { if (event.buttons) at(event); });
  }
  for (const button of document.querySelectorAll("[data-layer]")) {
    layers[button.dataset.layer] = button.getAttribute("aria-pressed") === "true";
    button.addEventListener("click", () => {
      const on = (layers[button.dataset.layer] = !layers[button.dataset.layer]);
      button.setAttribute("aria-pressed", String(on));
      redraw();
    });
  }
  new ResizeObserver(redraw).observe(byId("stage"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

function listenToViews(scene) {
  const mark = () => {
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === scene.view));
    }
  };
  scene.changed = () => { mark(); redraw(); };
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => { scene.look(button.dataset.view); scene.changed(); });
  }
  byId("nearer").addEventListener("click", () => { scene.zoom(0.8); scene.changed(); });
  byId("farther").addEventListener("click", () => { scene.zoom(1.25); scene.changed(); });
  mark();
}

async function begin() {
  document.body.classList.add("scripted");
  listen();
  paint();
  try {
    data = arraysOf(await inflated(bytesOf("replay-data")));
  } catch (error) {
    tell("picture-note", "This browser is too old for the pictures and the scene; the rest of the page is whole.");
    return;
  }
  parts.pictures = picturesOf(redraw);
  parts.drawing = new Drawing(byId("picture"));
  parts.side = new Side(byId("side"));
  paint();
  try {
    const scene = await sceneOf(byId("scene"));
    listenToViews(scene);
    parts.scene = scene;
  } catch (error) {
    byId("scene").hidden = true;
    document.querySelector(".views").hidden = true;
    tell("scene-note", "This browser shows no WebGL, so there is no scene in 3D here. Pictures, side view and curves follow all the same.");
  }
  paint();
  document.body.dataset.ready = parts.scene ? "3d" : "2d";
}

begin();
