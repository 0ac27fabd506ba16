/*
 * title: Which numbers a normalisation averages
 * chapter: layers/normalization
 * options: kind, outputs, at
 * alt: A sheet of tiles, three images down and four channels across, each tile three by three numbers. One number
 *   is marked, and with it all those that share its mean and variance: for batch normalisation the whole column of
 *   its channel, through all images.
 */
import { button, choice, clamp, make, number, randomness, set, slider } from "./_base.js";

const [IMAGES, SIDE, CHANNELS, EPSILON] = [3, 3, 4, 1e-3];
/** Where of image, place and channel two numbers must agree to be averaged together. */
const KINDS = {
  batch: ["batch", (n, i, j, c) => `${c}`, "one channel, all images and places"],
  layer: ["layer", (n) => `${n}`, "one image, all its channels and places"],
  group: ["group", (n, i, j, c) => `${n} ${Math.floor((2 * c) / CHANNELS)}`, "one image, one of its two groups of channels"],
  instance: ["instance", (n, i, j, c) => `${n} ${c}`, "one image, one channel"],
  pixel: ["pixel", (n, i, j) => `${n} ${i} ${j}`, "one pixel, all its channels"],
};

/** The mean and the variance of some numbers. */
function moments(values) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length };
}

/** Call f(image, row, column, channel) for every number, in the order in which NumPy keeps them. */
function each(f) {
  const found = [];
  for (let n = 0; n < IMAGES; n += 1) for (let i = 0; i < SIDE; i += 1) for (let j = 0; j < SIDE; j += 1)
    for (let c = 0; c < CHANNELS; c += 1) found.push(f(n, i, j, c));
  return found;
}

/** For every number the places of those that share its statistics, itself included. */
export function companions(kind) {
  const keys = each(KINDS[kind][1]);
  const shared = new Map();
  keys.forEach((key, at) => shared.set(key, [...(shared.get(key) ?? []), at]));
  return keys.map((key) => shared.get(key));
}

/** All numbers, each less its mean and divided by its deviation. */
export function normalise(values, kind) {
  return companions(kind).map((places, at) => {
    const { mean, variance } = moments(places.map((place) => values[place]));
    return (values[at] - mean) / Math.sqrt(variance + EPSILON);
  });
}

export default function figure(ui, options) {
  const state = { kind: "batch", outputs: false, at: [1, 1, 1, 2], ...options };
  const random = randomness(7);
  const values = each((n, i, j, c) => Math.round(2 + 3 * c * random() + 4 * n + 6 * (random() - 0.5)));
  const index = ([n, i, j, c]) => ((n * SIDE + i) * SIDE + j) * CHANNELS + c;
  const [CELL, GAP, LEFT, TOP] = [44, 14, 30, 30];
  const tile = SIDE * CELL + GAP;
  const [W, H] = [LEFT + CHANNELS * tile - GAP + 2, TOP + IMAGES * tile - GAP + 2];
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, tabindex: 0, role: "application", class: "sheet" });
  for (let c = 0; c < CHANNELS; c += 1) svg.append(make("text", { class: "axis", x: LEFT + c * tile + (tile - GAP) / 2, y: 18, "text-anchor": "middle" }, `channel ${c + 1}`));
  for (let n = 0; n < IMAGES; n += 1) {
    const [x, y] = [18, TOP + n * tile + (tile - GAP) / 2];
    svg.append(make("text", { class: "axis", x, y, "text-anchor": "middle", transform: `rotate(-90 ${x} ${y})` }, `image ${n + 1}`));
  }
  const cells = each((n, i, j, c) => {
    const [x, y] = [LEFT + c * tile + j * CELL, TOP + n * tile + i * CELL];
    const box = make("rect", { class: "cell", x, y, width: CELL, height: CELL });
    const text = make("text", { class: "value", x: x + CELL / 2, y: y + CELL / 2 + 6, "text-anchor": "middle" });
    const choose = () => pick([n, i, j, c]);
    const cell = make("g", { onpointerenter: choose, onpointerdown: choose }, box, text);
    svg.append(cell);
    return { box, text };
  });
  const told = make("p", { class: "sum" });
  const kind = choice({ label: "Normalisation", value: state.kind, options: Object.entries(KINDS).map(([key, [label]]) => [key, label]),
    change: (value) => { state.kind = value; update(); } });
  const own = slider({ label: "The marked number:", min: -20, max: 40, value: values[index(state.at)],
    change: (value) => { values[index(state.at)] = value; update(); } });
  const after = button("Show what comes out", (pressed) => { state.outputs = pressed; update(); }, state.outputs);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [n, i, j, c] = state.at; // walk over the sheet, from tile to tile
    const row = clamp(n * SIDE + i + step[0], 0, IMAGES * SIDE - 1);
    const column = clamp(c * SIDE + j + step[1], 0, CHANNELS * SIDE - 1);
    pick([Math.floor(row / SIDE), row % SIDE, column % SIDE, Math.floor(column / SIDE)]);
  });
  ui.card.append(
    make("p", { class: "lead" }, "Point at a number, or walk with the arrow keys. Blue are the numbers that share its mean and variance."),
    make("div", { class: "controls" }, kind.element),
    make("div", { class: "stage" }, svg), told,
    make("div", { class: "controls" }, own.element, after));

  function pick(at) {
    state.at = at;
    own.value = values[index(at)];
    update();
  }

  function update() {
    const at = index(state.at);
    const shared = companions(state.kind)[at];
    const out = normalise(values, state.kind);
    const together = new Set(shared);
    cells.forEach(({ box, text }, place) => {
      const role = place === at ? " marked" : together.has(place) ? " shared" : "";
      set(box, { class: `cell${role}` });
      set(text, { class: `value${role}` });
      text.textContent = state.outputs ? number(out[place], 1) : number(values[place], 0);
    });
    const { mean, variance } = moments(shared.map((place) => values[place]));
    const [n, i, j, c] = state.at;
    told.textContent = `${KINDS[state.kind][2]}: ${shared.length} numbers, mean ${number(mean)}, variance ${number(variance)}. `
      + `${number(values[at], 0)} becomes ${number(out[at])}.`;
    set(svg, { "aria-label": `Image ${n + 1}, channel ${c + 1}, row ${i + 1}, column ${j + 1}. Arrow keys choose a number. ${told.textContent}` });
    ui.say(told.textContent);
  }

  update();
  return { state, values, companions, normalise };
}
