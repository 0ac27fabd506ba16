/*
 * title: Draw a digit, and watch LeNet-5 read it
 * chapter: models/lenet
 * options: digit, tidy, right, down, turn, size, thick
 * alt: A pad with a hand-drawn three. Beside it, from the top: the page of 32 by 32 pixels that the net is given, the six
 *   maps of C1 with the edges of the strokes, the same six at half the size in S2, sixteen maps of C3, the sixteen smaller
 *   in S4, the 120 units of C5 as a block of light and dark squares, F6 as a small drawing of a three, and the ten codes, of
 *   which the three lies nearest and is framed.
 */
import { button, choice, clamp, draggable, list, make, number, set } from "./_base.js";

const WEIGHTS = new URL("./lenet.bin", import.meta.url).href;
// What the file holds, in this order: for each array its scale, a float, and then its numbers, a byte each.
const ARRAYS = { "C1/kernel": 150, "C1/bias": 6, "S2/coefficient": 6, "S2/bias": 6, "C3/kernel": 1500, "C3/bias": 16,
  "S4/coefficient": 16, "S4/bias": 16, "C5/kernel": 48000, "C5/bias": 120, "F6/kernel": 10080, "F6/bias": 84, codes: 840 };
const PAGE = 32;
const [PAPER, INK] = [-0.1, 1.175];
const BOX = 20; // a digit of MNIST fills at most so many pixels
const LAYERS = [ // cell: canvas pixels a unit; across: maps a row; field and step: the square of the page that a unit sees
  { name: "C1", maps: 6, rows: 28, columns: 28, cell: 4, across: 6, field: 5, step: 1 },
  { name: "S2", maps: 6, rows: 14, columns: 14, cell: 8, across: 6, field: 6, step: 2 },
  { name: "C3", maps: 16, rows: 10, columns: 10, cell: 8, across: 8, field: 14, step: 2 },
  { name: "S4", maps: 16, rows: 5, columns: 5, cell: 16, across: 8, field: 16, step: 4 },
  { name: "C5", maps: 1, rows: 6, columns: 20, cell: 20, across: 1, field: 32, step: 0 },
  { name: "F6", maps: 1, rows: 12, columns: 7, cell: 12, across: 1, field: 32, step: 0 },
];
const GAP = 8;
const MOST = 1.7159; // of a squashed sum
const WINDOW = [5, 2, 5, 2]; // what a unit of the first four layers looks at, in units of the layer below
/** The maps of S2 that each map of C3 looks at: cnnkit.models.c3_table. */
export const SEEN = [...[3, 4].flatMap((n) => [0, 1, 2, 3, 4, 5].map((j) => Array.from({ length: n }, (_, i) => (j + i) % 6))),
  [0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]];
// Ready digits, stroke by stroke: points (right, down) on a square of 10 x 10, rounded when drawn.
const STROKES = { 0: "50 20 02 07 29 59 87 82 70 40", 1: "60 49", 2: "12 20 60 82 75 09 09 89", 3: "11 30 70 82 44 44 44 75 87 69 29 08",
  4: "20 04 05 85 85|60 59", 5: "80 30 20 14 14 54 85 87 69 29 08", 6: "70 31 06 29 69 86 74 35 17", 7: "10 80 80 63 39",
  8: "71 40 11 22 67 79 49 28 37 82 71", 9: "72 50 20 12 24 64 72 72 69" };

/** The arrays of the file by name. */
export function unpack(url) {
  const bytes = Uint8Array.from(atob(url.split(",")[1]), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  return Object.fromEntries(Object.entries(ARRAYS).map(([name, length]) => {
    const scale = view.getFloat32(at, true);
    const numbers = Float64Array.from(new Int8Array(bytes.buffer, at + 4, length), (whole) => Math.fround(whole * scale));
    at += 4 + length;
    return [name, numbers];
  }));
}

const squash = (sum) => MOST * Math.tanh((2 / 3) * sum);

/** Call visit(input, output, first index of that pair's kernel, step to its next number) for each pair of joined maps. */
function pairs(name, visit) {
  if (name === "C1") for (let j = 0; j < 6; j += 1) visit(0, j, j, 6);
  if (name === "C5") for (let i = 0; i < 16; i += 1) for (let j = 0; j < 120; j += 1) visit(i, j, i * 120 + j, 16 * 120);
  let pair = 0;
  if (name === "C3") for (let i = 0; i < 6; i += 1) SEEN.forEach((seen, j) => { if (seen.includes(i)) visit(i, j, pair++, 60); });
}

/** A convolution by 5 x 5, squashed; units are kept row by row, and all maps of a place together. */
function convolve(weights, name, below, maps) {
  const [kernel, bias, side] = [weights[`${name}/kernel`], weights[`${name}/bias`], below.side - 4];
  const values = new Float64Array(side * side * maps);
  pairs(name, (input, output, first, step) => {
    for (let place = 0; place < side * side; place += 1) {
      const [row, column] = [Math.floor(place / side), place % side];
      let sum = 0;
      for (let tap = 0; tap < 25; tap += 1) {
        const from = (row + Math.floor(tap / 5)) * below.side + column + (tap % 5);
        sum += below.values[from * below.maps + input] * kernel[first + tap * step];
      }
      values[place * maps + output] += sum;
    }
  });
  return { side, maps, values: values.map((sum, at) => squash(sum + bias[at % maps])) };
}

/** The four units of a window added up, times a coefficient, plus a bias, squashed. */
function subsample(weights, name, below) {
  const [coefficient, bias, { maps }, side] = [weights[`${name}/coefficient`], weights[`${name}/bias`], below, below.side / 2];
  const values = Float64Array.from({ length: side * side * maps }, (_, at) => {
    const [map, column, row] = [at % maps, Math.floor(at / maps) % side, Math.floor(at / maps / side)];
    const unit = (down, right) => below.values[((2 * row + down) * below.side + 2 * column + right) * maps + map];
    return squash(coefficient[map] * (unit(0, 0) + unit(0, 1) + unit(1, 0) + unit(1, 1)) + bias[map]);
  });
  return { side, maps, values };
}

/** LeNet-5 of a page: the units of C1, S2, C3, S4, C5 and F6, and the squared distance of F6 to each code. */
export function forward(weights, page) {
  const c1 = convolve(weights, "C1", { side: PAGE, maps: 1, values: page }, 6);
  const s2 = subsample(weights, "S2", c1);
  const c3 = convolve(weights, "C3", s2, 16);
  const s4 = subsample(weights, "S4", c3);
  const c5 = convolve(weights, "C5", s4, 120);
  const f6 = Float64Array.from(weights["F6/bias"], (bias, j) => squash(c5.values.reduce((sum, x, i) => sum + x * weights["F6/kernel"][i * 84 + j], bias)));
  const distances = Array.from({ length: 10 }, (_, d) => f6.reduce((sum, x, j) => sum + (x - weights.codes[d * 84 + j]) ** 2, 0));
  return { layers: [c1, s2, c3, s4, c5].map(({ values }) => values).concat([f6]), distances };
}

/** Corners cut twice (Chaikin), so that a few points make a curve. */
function rounded(points) {
  for (let times = 0; times < 2; times += 1) {
    points = [points[0], ...points.slice(1).flatMap((b, i) => [0.25, 0.75].map((t) => points[i].map((x, axis) => x + t * (b[axis] - x)))), points.at(-1)];
  }
  return points;
}

/** The strokes of a ready digit, on the page. */
export const sample = (digit) => STROKES[digit].split("|").map((stroke) => rounded(stroke.split(" ").map(([x, y]) => [8 + 1.8 * Number(x), 8 + 1.8 * Number(y)])));

/** How far a point is from a line between two points. */
function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/** Strokes as grey pixels from 0 to 1, by a round pen so many pixels thick. */
export function ink(strokes, thick) {
  const grey = new Float64Array(PAGE * PAGE);
  const lines = strokes.flatMap((stroke) => stroke.map((point, i) => [stroke[Math.max(0, i - 1)], point]));
  for (const [a, b] of lines) {
    const [[left, right], [top, bottom]] = [0, 1].map((axis) => [Math.min(a[axis], b[axis]) - thick, Math.max(a[axis], b[axis]) + thick].map((at) => clamp(Math.floor(at), 0, PAGE - 1)));
    for (let y = top; y <= bottom; y += 1) {
      for (let x = left; x <= right; x += 1) {
        const value = clamp(thick / 2 + 0.5 - distance([x + 0.5, y + 0.5], a, b), 0, 1);
        grey[y * PAGE + x] = Math.max(grey[y * PAGE + x], value);
      }
    }
  }
  return grey;
}

/** Strokes as MNIST has its digits: the longer side 20 pixels, the centre of mass in the middle of the page. */
export function tidied(strokes, thick) {
  const ends = [0, 1].map((axis) => strokes.flat().map((point) => point[axis]));
  if (!ends[0].length) return strokes;
  const [low, high] = [ends.map((all) => Math.min(...all)), ends.map((all) => Math.max(...all))];
  const long = Math.max(high[0] - low[0], high[1] - low[1]);
  const scale = long > 2 ? (BOX - thick) / long : 1;
  const placed = strokes.map((stroke) => stroke.map((point) => point.map((x, axis) => (x - (low[axis] + high[axis]) / 2) * scale + PAGE / 2)));
  const grey = ink(placed, thick);
  const total = grey.reduce((a, b) => a + b, 0);
  const off = [(at) => at % PAGE, (at) => Math.floor(at / PAGE)].map((place) => PAGE / 2 - grey.reduce((sum, value, at) => sum + value * (place(at) + 0.5), 0) / total);
  return placed.map((stroke) => stroke.map((point) => point.map((x, axis) => x + off[axis])));
}

const AS_DRAWN = { right: 0, down: 0, turn: 0, size: 100 };
const BOUNDS = { right: [-12, 12], down: [-12, 12], turn: [-180, 180], size: [40, 160], thick: [1, 6] };

/** The page that the net is given: strokes tidied if that is wanted, then resized, turned and moved. */
export function page(strokes, { tidy, right, down, turn, size, thick }) {
  const [c, s, middle] = [Math.cos((turn * Math.PI) / 180) * (size / 100), Math.sin((turn * Math.PI) / 180) * (size / 100), PAGE / 2];
  const moved = (tidy ? tidied(strokes, thick) : strokes).map((stroke) =>
    stroke.map(([x, y]) => [middle + right + (x - middle) * c - (y - middle) * s, middle + down + (x - middle) * s + (y - middle) * c]));
  return ink(moved, thick).map((grey) => PAPER + (INK - PAPER) * grey);
}

export default function figure(ui, options) {
  const weights = unpack(WEIGHTS);
  const state = { digit: 3, tidy: true, thick: 2.5, ...AS_DRAWN, strokes: null, unit: { layer: 2, map: 4, row: 4, column: 5 }, ...options };
  let pixels, read, tones;

  const pad = make("canvas", { width: 320, height: 320, tabindex: 0, role: "application", class: "pad",
    "aria-label": "Pad to draw on. The keys 0 to 9 put a ready digit there, arrows move it, Delete clears." });
  const given = make("canvas", { width: 320, height: 320, role: "img", class: "given", "aria-label": "The page of 32 by 32 pixels that the net is given" });
  const verdict = make("p", { class: "verdict", "aria-hidden": "true" });
  const reading = make("p", { class: "reading" });
  const codes = make("canvas", { width: 10 * 68 - 12, height: 132, role: "img", class: "codes" });
  const views = LAYERS.map((layer, k) => {
    const tall = Math.ceil(layer.maps / layer.across);
    const canvas = make("canvas", { tabindex: 0, role: "application", "aria-label": `${layer.name}. Arrow keys choose a unit and show what it looks at.`,
      width: layer.across * (layer.columns * layer.cell + GAP) - GAP, height: tall * (layer.rows * layer.cell + GAP) - GAP,
      onpointermove: (event) => point(k, event), onpointerdown: (event) => point(k, event), onkeydown: (event) => walk(k, event) });
    const told = layer.maps > 1 ? `${layer.maps} maps, ${layer.rows} × ${layer.columns}` : `${layer.rows * layer.columns} units`;
    return { canvas, element: make("div", { class: `layer ${layer.name}` }, make("p", { class: "caption" }, make("b", {}, layer.name), ` ${told}`), canvas) };
  });

  const digits = list({ label: "On the pad", options: [...Object.keys(STROKES).map((d) => [d, d]), ["own", "your own"]], value: String(state.digit),
    change: (value) => { if (value === "own") clear(); else put(Number(value)); } });
  const tidy = choice({ label: "Before it is read", options: [["yes", "centre and size it"], ["no", "leave it"]], value: state.tidy ? "yes" : "no",
    change: (value) => { state.tidy = value === "yes"; update(); } });
  const knobs = [
    knob("move", () => `${number(state.right)}, ${number(state.down)}`, [["←", "left", "right", -1], ["↑", "up", "down", -1], ["↓", "down", "down", 1], ["→", "right", "right", 1]]),
    knob("turn", () => `${number(state.turn)}°`, [["↺", "anticlockwise", "turn", -15], ["↻", "clockwise", "turn", 15]]),
    knob("size", () => `${state.size} %`, [["−", "smaller", "size", -10], ["+", "larger", "size", 10]]),
    knob("line", () => number(state.thick), [["−", "thinner", "thick", -0.5], ["+", "thicker", "thick", 0.5]]),
  ];
  ui.card.append(
    make("p", { class: "lead" }, "Draw on the pad, or take a ready digit and move it. Point at any unit to see what it looks at."),
    make("div", { class: "stage" },
      make("div", { class: "front" }, pad, make("div", { class: "beside" }, verdict, make("div", { class: "controls" }, digits.element, button("Clear", clear))),
        tidy.element, make("div", { class: "knobs" }, knobs.map(({ element }) => element))),
      make("div", { class: "net" },
        make("div", { class: "layer image" }, make("p", { class: "caption" }, make("b", {}, "image"), " as the net gets it, 32 × 32"), make("div", { class: "looked" }, given, reading)), views.map(({ element }) => element),
        make("div", { class: "layer" }, make("p", { class: "caption" }, make("b", {}, "output"), " squared distance of F6 to each code; the nearest wins"), codes))));

  /** A number's name, its value, and small buttons that change it. */
  function knob(name, show, buttons) {
    const value = make("span", { class: "value" });
    const pushes = buttons.map(([sign, does, key, by]) => set(button(sign, () => change(key, by)), { "aria-label": `${name}: ${does}`, title: does }));
    const element = make("div", { class: "knob", role: "group", "aria-label": name }, make("span", { class: "label" }, `${name} `, value), make("span", {}, pushes));
    return { element, tell: () => { value.textContent = show(); } };
  }

  function change(key, by) {
    state[key] = clamp(state[key] + by, ...BOUNDS[key]);
    update();
  }

  function put(digit) {
    Object.assign(state, AS_DRAWN, { digit, strokes: null });
    update();
  }

  function clear() {
    Object.assign(state, AS_DRAWN, { digit: "own", strokes: [] });
    update();
  }

  draggable(pad, pad, (x, y) => {
    state.strokes.at(-1).push([x, y].map((share) => clamp(share, 0, 1) * PAGE));
    update();
  }, () => {
    if (state.digit !== "own") Object.assign(state, AS_DRAWN, { digit: "own", strokes: [] }); // a ready digit makes room
    state.strokes.push([]);
  });

  pad.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: ["right", -1], ArrowRight: ["right", 1], ArrowUp: ["down", -1], ArrowDown: ["down", 1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move) change(...move);
    else if (/^[0-9]$/.test(event.key)) put(Number(event.key));
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
  });

  const strokes = () => state.strokes ?? sample(state.digit);

  function update() {
    pixels = page(strokes(), state);
    read = forward(weights, pixels);
    digits.value = String(state.digit);
    knobs.forEach(({ tell }) => tell());
    conclude();
    paint();
  }

  /** The codes from the nearest to the farthest. */
  const order = () => [...read.distances.keys()].sort((a, b) => read.distances[a] - read.distances[b]);

  function conclude() {
    const blank = !strokes().flat().length;
    const [first, second] = order();
    const told = blank ? "nothing is drawn yet" : `next is ${second}; distances ${number(read.distances[first], 1)} and ${number(read.distances[second], 1)}`;
    verdict.replaceChildren(make("b", {}, blank ? "–" : String(first)), make("span", {}, told));
    set(codes, { "aria-label": `Squared distance of F6 to each code: ${read.distances.map((d, digit) => `${digit} at ${number(d, 0)}`).join(", ")}` });
    ui.say(blank ? "The page is blank." : `Read as ${first}; ${told}.`);
  }

  /** Units as squares of light and dark. */
  function squares(context, [left, top], { rows, columns, cell }, value, [low, high]) {
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        context.fillStyle = tones[Math.round(clamp((value(row, column) - low) / (high - low), 0, 1) * 63)];
        context.fillRect(left + column * cell, top + row * cell, cell, cell);
      }
    }
    Object.assign(context, { strokeStyle: ui.colour("line"), lineWidth: 2 });
    context.strokeRect(left + 1, top + 1, columns * cell - 2, rows * cell - 2);
  }

  /** A frame over a picture, with a halo, so that it is seen on light and on dark. */
  function frame(context, x, y, width, height) {
    for (const [colour, lineWidth] of [["halo", 6], ["mark", 3]]) {
      Object.assign(context, { strokeStyle: ui.colour(colour), lineWidth });
      context.strokeRect(x, y, width, height);
    }
  }

  const corner = ({ rows, columns, cell, across }, map) => [(map % across) * (columns * cell + GAP), Math.floor(map / across) * (rows * cell + GAP)];

  function paint() {
    const stops = ui.colour("maps").split(" ").map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
    tones = Array.from({ length: 64 }, (_, i) => {
      const [at, share] = [Math.min(Math.floor((i / 63) * (stops.length - 1)), stops.length - 2), (i / 63) * (stops.length - 1)];
      return `rgb(${stops[at].map((tone, c) => Math.round(tone + (share - at) * (stops[at + 1][c] - tone))).join()})`;
    });
    const { layer: k, map, row, column } = state.unit;
    paintPad();
    const view = given.getContext("2d");
    squares(view, [0, 0], { rows: PAGE, columns: PAGE, cell: 10 }, (y, x) => pixels[y * PAGE + x], [PAPER, INK]);
    const { field, step } = LAYERS[k];
    frame(view, column * step * 10, row * step * 10, field * 10, field * 10);
    LAYERS.forEach((layer, at) => {
      const context = views[at].canvas.getContext("2d");
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      for (let m = 0; m < layer.maps; m += 1) {
        squares(context, corner(layer, m), layer, (y, x) => read.layers[at][(y * layer.columns + x) * layer.maps + m], [-MOST, MOST]);
      }
      const framed = (m, y, x, side) => { const [left, top] = corner(layer, m); frame(context, left + x * layer.cell, top + y * layer.cell, side * layer.cell, side * layer.cell); };
      if (at === k) framed(map, row, column, 1);
      if (at === k - 1 && k < 4) sources().forEach((m) => framed(m, row * (k % 2 ? 2 : 1), column * (k % 2 ? 2 : 1), WINDOW[k]));
    });
    paintCodes();
    explain();
  }

  /** The maps of the layer below that the chosen unit's map looks at. */
  const sources = () => [[0], [state.unit.map], SEEN[state.unit.map], [state.unit.map]][state.unit.layer];

  function paintPad() {
    const context = pad.getContext("2d");
    Object.assign(context, { fillStyle: tones[0], strokeStyle: tones[63], lineWidth: state.thick * 10, lineCap: "round", lineJoin: "round" });
    context.fillRect(0, 0, 320, 320);
    for (const stroke of strokes()) {
      context.beginPath();
      [stroke[0], ...stroke].forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x * 10, y * 10));
      context.stroke();
    }
  }

  function paintCodes() {
    const context = codes.getContext("2d");
    context.clearRect(0, 0, codes.width, codes.height);
    const [nearest] = order();
    Object.assign(context, { font: "24px sans-serif", textAlign: "center" });
    read.distances.forEach((distance, d) => {
      squares(context, [d * 68, 4], { rows: 12, columns: 7, cell: 8 }, (y, x) => weights.codes[d * 84 + y * 7 + x], [-MOST, MOST]);
      context.fillStyle = ui.colour(d === nearest ? "ink" : "muted");
      context.fillText(number(distance, 0), d * 68 + 28, 128);
      if (d === nearest) frame(context, d * 68 + 3, 7, 50, 90);
    });
  }

  /** The chosen unit in words. */
  function explain() {
    const { layer: k, map, row, column } = state.unit;
    const { name, columns, maps, field } = LAYERS[k];
    const value = read.layers[k][(row * columns + column) * maps + map];
    const [nearest] = order();
    const which = k < 4 ? `map ${map + 1}, row ${row + 1}, column ${column + 1}` : `unit ${row * columns + column + 1}`;
    const looks = [`looks at ${field} × ${field} pixels of the image`, "adds up four units of its map in C1", `looks at 5 × 5 units of S2 in maps ${sources?.()?.map((m) => m + 1).join(", ")}`,
      "adds up four units of its map in C3", "looks at all of S4", `looks at all of C5; the code of ${nearest} wants ${weights.codes[nearest * 84 + row * 7 + column] > 0 ? "+1" : "−1"} here`][k];
    const sees = k && k < 4 ? `, and so sees ${field} × ${field} pixels` : "";
    reading.replaceChildren(make("b", {}, `${name}, ${which}: ${number(value)}`), ` ${looks}${sees}.`);
  }

  function choose(layer, map, row, column) {
    const unit = { layer, map, row, column };
    if (JSON.stringify(unit) === JSON.stringify(state.unit)) return;
    state.unit = unit;
    paint();
    ui.say(reading.textContent);
  }

  function point(k, event) {
    const [{ canvas }, layer] = [views[k], LAYERS[k]];
    const box = canvas.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
    for (let map = 0; map < layer.maps; map += 1) {
      const [left, top] = corner(layer, map);
      const [row, column] = [Math.floor((y - top) / layer.cell), Math.floor((x - left) / layer.cell)];
      if (row >= 0 && row < layer.rows && column >= 0 && column < layer.columns) choose(k, map, row, column);
    }
  }

  function walk(k, event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const [layer, { rows, columns, maps, across }] = [state.unit.layer, LAYERS[k]];
    if (layer !== k) { choose(k, 0, Math.floor(rows / 2), Math.floor(columns / 2)); return; }
    const [row, column] = [state.unit.row + by[0], state.unit.column + by[1]];
    const next = state.unit.map + Math.floor(column / columns) + across * Math.floor(row / rows); // over a map's edge lies the next map
    if (next >= 0 && next < maps) choose(k, next, (row + rows) % rows, (column + columns) % columns);
  }

  pixels = page(strokes(), state);
  read = forward(weights, pixels);
  ui.onTheme(paint);
  update();
  return { state, weights, seen: SEEN, fields: LAYERS, forward, page, sample, ink, tidied, choose, get pixels() { return [...pixels]; },
    get layers() { return read.layers.map((values) => [...values]); }, get distances() { return read.distances; } };
}
