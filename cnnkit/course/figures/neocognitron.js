/*
 * title: Draw, and watch the neocognitron look
 * chapter: origins/neocognitron
 * options: network, seed, pattern, size, down, right, turn, thick
 * alt: A letter T in thin lines on a board of 16 by 16 points. Beside it the planes of the neocognitron, small square
 *   maps: in the first S-planes thin pieces of the letter light up, in the C-planes the same pieces blurred, in the
 *   later layers fewer and larger spots, and at the end one plane alone, the one that is named T.
 */
import { button, choice, clamp, draggable, list, make, number, randomness, set } from "./_base.js";

const SIDE = 16; // of the board
const PLANES = 24;
const NETWORKS = { letters: "XYTZ", digits: "0123456789" };
const STROKES = { // from (row, column) to (row, column) on a square of 9 x 9: cnnkit.data.line_pattern
  X: "0088 0880", Y: "0044 0844 4484", T: "0008 0484", Z: "0008 0880 8088", 0: "0206 0241 4182 8286 8647 4706", 1: "0484",
  2: "0106 0636 3681 8187", 3: "0106 0643 4386 8681", 4: "0550 5058 0585", 5: "0701 0131 3157 5785 8581",
  6: "0551 5183 8386 8656 5651", 7: "0107 0783", 8: "0206 0682 8286 8602", 9: "0206 0686 0242 4246",
};
const LAYERS = [ // cnnkit.origins.neocognitron, layer by layer
  { name: "US1", learns: true, size: 5, stride: 1, pad: 2, r: 4, speed: 1 },
  { name: "UC1", size: 5, stride: 2, pad: 4 },
  { name: "US2", learns: true, size: 5, stride: 1, pad: 1, r: 1.5, speed: 16 },
  { name: "UC2", size: 5, stride: 2, pad: 4 },
  { name: "US3", learns: true, size: 5, stride: 1, pad: 0, r: 1.5, speed: 16 },
  { name: "UC3", size: 2, stride: 1, pad: 0 },
];
const AS_GROWN = { size: 9, down: 0, right: 0, turn: 0, thick: 1 };
const COLUMN = 5; // the square within which the loudest cell learns
const [STRENGTH, SATURATION] = [10, 0.5]; // of the C-cells
const SILENT = 1e-3; // below this the last layer says nothing

/** Fixed weights that fall with the distance from the middle and add up to 1. */
export function fadingMask(size, falloff) {
  const middle = (size - 1) / 2;
  const mask = Array.from({ length: size * size }, (_, at) => falloff ** Math.hypot(Math.floor(at / size) - middle, (at % size) - middle));
  const sum = mask.reduce((a, b) => a + b, 0);
  return mask.map((value) => value / sum);
}

LAYERS.forEach((layer) => { layer.mask = fadingMask(layer.size, layer.learns ? 0.9 : 0.8); });

/** Call visit(tap, at) for each place of a cell's window on the map below; at that index its planes begin. */
function look(map, { size, stride, pad }, row, column, visit) {
  for (let tap = 0; tap < size * size; tap += 1) {
    const y = row * stride - pad + Math.floor(tap / size);
    const x = column * stride - pad + (tap % size);
    if (y >= 0 && y < map.side && x >= 0 && x < map.side) visit(tap, (y * map.side + x) * map.planes);
  }
}

/** The S-cells of every plane at one place: the excitation of each, and what the inhibitory cell sees. */
function feel(map, layer, weights, row, column, power = 1e-7) {
  const e = new Float64Array(PLANES);
  look(map, layer, row, column, (tap, at) => {
    for (let c = 0; c < map.planes; c += 1) {
      const x = map.values[at + c];
      if (!x) continue;
      power += (layer.mask[tap] / map.planes) * x * x;
      const from = (tap * map.planes + c) * PLANES;
      for (let p = 0; p < PLANES; p += 1) e[p] += x * weights.excitatory[from + p];
    }
  });
  return { e, v: Math.sqrt(power) };
}

/** What a C-cell of every plane adds up at one place, before it is held down. */
function blur(map, layer, row, column) {
  const e = new Float64Array(map.planes);
  look(map, layer, row, column, (tap, at) => {
    for (let p = 0; p < map.planes; p += 1) e[p] += STRENGTH * layer.mask[tap] * map.values[at + p];
  });
  return { e, v: e.reduce((a, b) => a + b, 0) / map.planes };
}

const brake = (layer, weights, v, plane) => ((2 * layer.r) / (1 + layer.r)) * weights.inhibitory[plane] * v;

/** The planes of one layer, from those of the layer below: S-cells where there are weights, else C-cells. */
function answer(map, layer, weights, least) {
  const side = Math.floor((map.side + 2 * layer.pad - layer.size) / layer.stride) + 1;
  const values = new Float64Array(side * side * PLANES);
  for (let place = 0; place < side * side; place += 1) {
    const [row, column] = [Math.floor(place / side), place % side];
    const { e, v } = layer.learns ? feel(map, layer, weights, row, column, least) : blur(map, layer, row, column);
    for (let p = 0; p < PLANES; p += 1) {
      const t = Math.max(0, (1 + e[p]) / (1 + (layer.learns ? brake(layer, weights, v, p) : v)) - 1);
      values[place * PLANES + p] = layer.learns ? layer.r * t : t / (SATURATION + t);
    }
  }
  return { side, planes: PLANES, values };
}

/** Who learns: each column's loudest cell, and the loudest of a plane's candidates. [plane, row, column]. */
function representatives({ side, values }) {
  const width = Math.min(COLUMN, side);
  const best = new Map();
  for (let top = 0; top <= side - width; top += 1) {
    for (let left = 0; left <= side - width; left += 1) {
      let [loud, found] = [0, null];
      for (let place = 0; place < width * width; place += 1) {
        const [row, column] = [top + Math.floor(place / width), left + (place % width)];
        for (let p = 0; p < PLANES; p += 1) {
          const value = values[(row * side + column) * PLANES + p];
          if (value > loud) [loud, found] = [value, [p, row, column]];
        }
      }
      if (found && loud > (best.get(found[0])?.loud ?? 0)) best.set(found[0], { loud, found });
    }
  }
  return [...best.values()].map(({ found }) => found);
}

/** Grow a network from unlabelled pictures, layer by layer, by the rule of 1980: cnnkit.origins.grow. */
export function grow(pictures, seed, rounds = 15) {
  const random = randomness(seed);
  let maps = pictures.map((values) => ({ side: SIDE, planes: 1, values }));
  const grown = LAYERS.map((layer) => {
    let weights = null;
    if (layer.learns) {
      const channels = maps[0].planes;
      const excitatory = Float64Array.from({ length: layer.mask.length * channels * PLANES }, (_, at) =>
        Math.fround((0.01 * layer.mask[Math.floor(at / (channels * PLANES))] * random()) / channels));
      weights = { excitatory, inhibitory: new Float64Array(PLANES) };
      for (let round = 0; round < rounds; round += 1) for (const map of maps) learn(map, layer, weights);
    }
    maps = maps.map((map) => answer(map, layer, weights, 0));
    return weights;
  });
  return { weights: grown, winners: maps.map(({ values }) => winner(values)) };
}

function learn(map, layer, weights) {
  for (const [plane, row, column] of representatives(answer(map, layer, weights, 0))) {
    const { v } = feel(map, layer, weights, row, column, 0);
    look(map, layer, row, column, (tap, at) => {
      for (let c = 0; c < map.planes; c += 1) {
        weights.excitatory[(tap * map.planes + c) * PLANES + plane] += layer.speed * (layer.mask[tap] / map.planes) * map.values[at + c];
      }
    });
    weights.inhibitory[plane] += (layer.speed / 2) * v;
  }
}

/** The plane that answers most, or -1 where all are silent. */
function winner(values) {
  const most = Math.max(...values);
  return most > SILENT ? values.indexOf(most) : -1;
}

/** All planes for one picture: the board, then the six layers. */
export function forward(network, pixels) {
  const maps = [{ side: SIDE, planes: 1, values: pixels }];
  LAYERS.forEach((layer, at) => maps.push(answer(maps[at], layer, network.weights[at])));
  return maps;
}

/** The square of the board that a cell of each layer sees: its side, its step, and where cell 0 begins. */
const FIELDS = LAYERS.reduce((fields, { size, stride, pad }) => {
  const below = fields.at(-1);
  return [...fields, { size: below.size + (size - 1) * below.step, step: below.step * stride, from: below.from - pad * below.step }];
}, [{ size: 1, step: 1, from: 0 }]);

/** The points of a line between two points, both included. */
export function line([row, column], [lastRow, lastColumn]) {
  const [tall, wide] = [Math.abs(lastRow - row), Math.abs(lastColumn - column)];
  const [down, right] = [Math.sign(lastRow - row), Math.sign(lastColumn - column)];
  const [long, short] = [Math.max(tall, wide), Math.min(tall, wide)];
  const points = [];
  let debt = 2 * short - long;
  for (let at = 0; at < long; at += 1) {
    points.push([row, column]);
    const aside = debt >= 0;
    if (aside) debt -= 2 * long;
    debt += 2 * short;
    if (tall > wide || aside) row += down;
    if (tall <= wide || aside) column += right;
  }
  return [...points, [lastRow, lastColumn]];
}

const strokesOf = (name) => STROKES[name].split(" ").map((stroke) => [...stroke].map((digit) => (Number(digit) - 4) / 8));

/** Strokes on the board: strokes are [row, column, row, column] within a square from -1/2 to 1/2. */
export function draw(strokes, { size, down, right, turn, thick } = AS_GROWN) {
  const pixels = new Float64Array(SIDE * SIDE);
  const [c, s] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const middle = Math.floor((SIDE - size) / 2) + (size - 1) / 2;
  const end = (row, column) => [row * c + column * s + (down + middle), column * c - row * s + (right + middle)].map((x) => Math.floor(x + 0.5));
  for (const stroke of strokes) {
    const [r1, c1, r2, c2] = stroke.map((x) => x * (size - 1));
    for (const [row, column] of line(end(r1, c1), end(r2, c2))) {
      for (let at = 0; at < thick * thick; at += 1) {
        const y = row + Math.floor(at / thick) - Math.floor((thick - 1) / 2);
        const x = column + (at % thick) - Math.floor((thick - 1) / 2);
        if (y >= 0 && y < SIDE && x >= 0 && x < SIDE) pixels[y * SIDE + x] = 1;
      }
    }
  }
  return pixels;
}

/** A picture as strokes again: each lit point, joined to its lit neighbours. */
function strokesFrom(pixels) {
  const lit = (row, column) => row < SIDE && column >= 0 && column < SIDE && pixels[row * SIDE + column];
  const unit = (at) => (at - 7) / 8;
  const found = [];
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < SIDE; column += 1) {
      if (!lit(row, column)) continue;
      const others = [[0, 0], [0, 1], [1, -1], [1, 0], [1, 1]].filter(([d, r]) => lit(row + d, column + r));
      found.push(...others.map(([d, r]) => [row, column, row + d, column + r].map(unit)));
    }
  }
  return found;
}

const BOUNDS = { size: [5, 15], down: [-9, 9], right: [-9, 9], turn: [-180, 180], thick: [1, 3] };
const TILE = 80; // the side of a drawn plane, and the gap after it
const GAP = 8;

export default function figure(ui, options) {
  const state = { network: "letters", seed: 7, pattern: "T", ...AS_GROWN, pen: [7, 7], tool: "pen", strokes: null,
    cell: { layer: 0, plane: 0, row: 0, column: 0 }, ...options };
  const cache = new Map();
  let network, pixels, maps, columns = 12, held = null;

  const board = make("canvas", { width: 320, height: 320, tabindex: 0, role: "application", class: "board",
    "aria-label": "Drawing board. Arrow keys move the pen, Space lights or clears a point, Shift with an arrow draws." });
  const verdict = make("p", { class: "verdict" });
  const reading = make("p", { class: "reading" });
  const weightsView = make("canvas", { class: "weights", role: "img", "aria-label": "The weights of the chosen cell" });
  const views = LAYERS.map((layer, k) => {
    const canvas = make("canvas", { tabindex: 0, role: "application", "aria-label": `${layer.name}. Arrow keys choose a cell and show what it sees.`,
      onpointermove: (event) => point(k, event), onpointerdown: (event) => point(k, event), onkeydown: (event) => walk(k, event) });
    const caption = make("p", { class: "caption" });
    return { canvas, caption, element: make("div", { class: "layer" }, caption, canvas) };
  });

  const kind = choice({ label: "Network grown on", options: Object.keys(NETWORKS).map((name) => [name, name]), value: state.network, change: (name) => {
    state.network = name;
    if (state.pattern !== "own" && !NETWORKS[name].includes(state.pattern)) ready([...NETWORKS[name]][0]);
    regrow();
  } });
  const pattern = list({ label: "On the board", options: [...Object.values(NETWORKS).join("")].map((name) => [name, name]).concat([["own", "your own"]]),
    value: state.pattern, change: (name) => { if (name === "own") clear(); else { ready(name); update(); } } });
  const chance = button("", () => { state.seed += 1; regrow(); });
  const tool = choice({ label: "Drag to", options: [["pen", "draw"], ["eraser", "erase"]], value: state.tool, change: (name) => { state.tool = name; } });
  const knobs = [
    knob("move", () => `${number(state.down)}, ${number(state.right)}`, [["\u2190", "left", "right", -1], ["\u2191", "up", "down", -1], ["\u2193", "down", "down", 1], ["\u2192", "right", "right", 1]]),
    knob("turn", () => `${number(state.turn)}\u00b0`, [["\u21ba", "anticlockwise", "turn", -15], ["\u21bb", "clockwise", "turn", 15]]),
    knob("size", () => number(state.size), [["\u2212", "smaller", "size", -1], ["+", "larger", "size", 1]]),
    knob("line", () => number(state.thick), [["\u2212", "thinner", "thick", -1], ["+", "thicker", "thick", 1]]),
  ];
  ui.card.append(
    make("p", { class: "lead" }, "Draw on the board, or change the letter that stands there. Point at any cell to see what it sees and what it has learned."),
    make("div", { class: "controls" }, kind.element, pattern.element, chance),
    make("div", { class: "stage" },
      make("div", { class: "front" }, board, make("div", { class: "said" }, verdict, make("div", { class: "controls" }, tool.element, button("Clear", clear))),
        make("div", { class: "knobs" }, knobs.map(({ element }) => element))),
      make("div", {}, views.map(({ element }) => element), make("div", { class: "detail" }, reading, weightsView))));

  /** A number's name, its value, and small buttons that change it. */
  function knob(name, show, buttons) {
    const value = make("span", { class: "value" });
    const pushes = buttons.map(([sign, does, key, by]) =>
      set(button(sign, () => { state[key] = clamp(state[key] + by, ...BOUNDS[key]); update(); }), { "aria-label": `${name}: ${does}`, title: does }));
    const element = make("div", { class: "knob", role: "group", "aria-label": name }, make("span", { class: "label" }, `${name} `, value), make("span", {}, pushes));
    return { element, tell: () => { value.textContent = show(); } };
  }

  const ready = (name) => Object.assign(state, AS_GROWN, { pattern: name, strokes: null });

  function clear() {
    Object.assign(state, AS_GROWN, { pattern: "own", strokes: [] });
    update();
  }

  /** Light or clear points, on the picture as it now stands. */
  function paint(points, light) {
    const after = Float64Array.from(pixels);
    points.forEach(([row, column]) => { after[row * SIDE + column] = light ? 1 : 0; });
    if (after.some((value, at) => value !== pixels[at])) Object.assign(state, AS_GROWN, { pattern: "own", strokes: strokesFrom(after) });
    update();
  }

  draggable(board, board, (x, y) => {
    const to = [y, x].map((share) => clamp(Math.floor(share * SIDE), 0, SIDE - 1));
    const from = held ?? to;
    held = state.pen = to;
    paint(line(from, to), state.tool === "pen");
  }, () => { held = null; });

  board.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    const from = state.pen;
    const lit = pixels[from[0] * SIDE + from[1]];
    if (!by) { paint([from], !lit); return; }
    state.pen = from.map((place, axis) => clamp(place + by[axis], 0, SIDE - 1));
    if (event.shiftKey) { paint([from, state.pen], state.tool === "pen"); return; }
    drawBoard();
    ui.say(`Row ${state.pen[0] + 1}, column ${state.pen[1] + 1}, ${pixels[state.pen[0] * SIDE + state.pen[1]] ? "lit" : "dark"}.`);
  });
  ["focus", "blur"].forEach((name) => board.addEventListener(name, drawBoard));

  function regrow() {
    const key = `${state.network} ${state.seed}`;
    if (!cache.has(key)) cache.set(key, grow([...NETWORKS[state.network]].map((name) => draw(strokesOf(name))), state.seed));
    network = cache.get(key);
    network.names = Array.from({ length: PLANES }, (_, p) => [...NETWORKS[state.network]].filter((_, n) => network.winners[n] === p).join(""));
    network.shown = LAYERS.map((_, k) => [...network.weights[k - (k % 2)].inhibitory.keys()].filter((p) => network.weights[k - (k % 2)].inhibitory[p] > 0));
    update();
    const at = maps[1].values.indexOf(Math.max(...maps[1].values)); // the loudest cell of US1
    choose(0, at % PLANES, Math.floor(at / PLANES / SIDE), Math.floor(at / PLANES) % SIDE);
  }

  function update() {
    pixels = draw(state.strokes ?? strokesOf(state.pattern), state);
    maps = forward(network, pixels);
    pattern.value = state.pattern;
    kind.value = state.network;
    chance.textContent = `Grow it again (chance ${state.seed})`;
    knobs.forEach(({ tell }) => tell());
    views.forEach(({ caption }, k) => {
      const [shown, { side }] = [network.shown[k].length, maps[k + 1]];
      caption.replaceChildren(make("b", {}, LAYERS[k].name), ` ${shown < PLANES ? `the ${shown} planes that learned` : `${shown} planes`}, ${side} \u00d7 ${side}`);
    });
    conclude();
    paintAll();
  }

  /** What the last layer says, and how sure it is: by how much the loudest plane leads. */
  function conclude() {
    const ranked = [...maps[6].values].map((value, p) => ({ value, name: [...network.names[p]].join("/") })).sort((a, b) => b.value - a.value);
    const [first, second] = ranked;
    const lead = first.value - second.value;
    const sure = ["not sure", "rather sure", "sure"][(lead > 0.2) + (lead > 0.5)];
    const rest = second.value < 0.01 ? "the others below 0.01" : `next ${second.name || "a nameless plane"} ${number(second.value)}`;
    const told = first.value <= SILENT ? "All planes of UC3 are silent." : `${first.name ? sure : "A nameless plane"}: ${number(first.value)}, ${rest}`;
    verdict.replaceChildren(make("b", {}, first.name || "\u2013"), make("span", {}, told));
    ui.say(first.name ? `It says ${first.name}, ${told}.` : told);
  }

  function paintAll() {
    drawBoard();
    views.forEach((_, k) => drawLayer(k));
    explain();
  }

  function drawBoard() {
    const context = board.getContext("2d");
    const step = board.width / SIDE;
    context.fillStyle = ui.colour("sunk");
    context.fillRect(0, 0, board.width, board.height);
    context.fillStyle = ui.colour("line");
    for (let at = 1; at < SIDE; at += 1) {
      context.fillRect(at * step, 0, 1, board.height);
      context.fillRect(0, at * step, board.width, 1);
    }
    context.fillStyle = ui.colour("ink");
    pixels.forEach((value, at) => { if (value) context.fillRect((at % SIDE) * step + 1, Math.floor(at / SIDE) * step + 1, step - 1, step - 1); });
    const frame = (box, colour) => {
      Object.assign(context, { strokeStyle: ui.colour(colour), lineWidth: 5 });
      context.strokeRect(...box.map((x) => x * step));
    };
    if (board.matches(":focus")) frame([state.pen[1], state.pen[0], 1, 1], "warm");
    frame(windowOn(SIDE, FIELDS[state.cell.layer + 1]), LAYERS[state.cell.layer].learns ? "cool" : "warm");
  }

  /** The chosen cell's window on a map, cut off at its edge: left, top, width, height. */
  function windowOn(side, { size, step, from }) {
    const [[left, right], [top, bottom]] = [state.cell.column, state.cell.row].map((at) => [from, from + size].map((x) => clamp(at * step + x, 0, side)));
    return [left, top, right - left, bottom - top];
  }

  /** The corner of a plane's picture, and the side of a cell in it. */
  function tile(k, plane) {
    const at = network.shown[k].indexOf(plane);
    const { side } = maps[k + 1];
    const cell = Math.floor(TILE / side);
    const spare = Math.floor((TILE - cell * side) / 2);
    return { x: (at % columns) * (TILE + GAP) + spare, y: Math.floor(at / columns) * (TILE + GAP) + spare, cell, side };
  }

  function drawLayer(k) {
    const { canvas } = views[k];
    const shown = network.shown[k];
    set(canvas, { width: columns * (TILE + GAP) - GAP, height: Math.ceil(shown.length / columns) * (TILE + GAP) - GAP + 4 });
    const context = canvas.getContext("2d");
    const colour = ui.colour(LAYERS[k].learns ? "blue" : "orange");
    const { cell: chosen } = state;
    for (const plane of shown) {
      const { x, y, cell, side } = tile(k, plane);
      context.fillStyle = ui.colour("sunk");
      context.fillRect(x, y, cell * side, cell * side);
      context.fillStyle = colour;
      for (let at = 0; at < side * side; at += 1) {
        context.globalAlpha = clamp(maps[k + 1].values[at * PLANES + plane], 0, 1) ** 0.6; // faint answers stay visible
        context.fillRect(x + (at % side) * cell, y + Math.floor(at / side) * cell, cell, cell);
      }
      context.globalAlpha = 1;
      Object.assign(context, { strokeStyle: ui.colour("line"), lineWidth: 2 });
      context.strokeRect(x + 1, y + 1, cell * side - 2, cell * side - 2);
      if (k === 5) {
        Object.assign(context, { fillStyle: ui.colour("ink"), font: "600 34px sans-serif", textAlign: "center", textBaseline: "middle" });
        context.fillText(network.names[plane] || "?", x + TILE / 2, y + TILE / 2 + 2);
      }
      Object.assign(context, { strokeStyle: ui.colour("ink"), lineWidth: 4 });
      if (chosen.layer === k && chosen.plane === plane) context.strokeRect(x + chosen.column * cell, y + chosen.row * cell, cell, cell);
      const above = LAYERS[k + 1];
      if (chosen.layer === k + 1 && (above.learns || chosen.plane === plane)) {
        const [left, top, width, height] = windowOn(side, { size: above.size, step: above.stride, from: -above.pad }).map((place) => place * cell);
        context.lineWidth = 2;
        context.strokeRect(x + left, y + top, width, height);
      }
    }
  }

  /** The chosen cell's arithmetic and its weights. */
  function explain() {
    const kernels = [];
    const { layer: k, plane, row, column } = state.cell;
    const [layer, below, weights] = [LAYERS[k], maps[k], network.weights[k]];
    const { e, v } = layer.learns ? feel(below, layer, weights, row, column) : blur(below, layer, row, column);
    const against = layer.learns ? brake(layer, weights, v, plane) : v;
    const value = maps[k + 1].values[(row * maps[k + 1].side + column) * PLANES + plane];
    const t = Math.max(0, (1 + e[plane]) / (1 + against) - 1);
    const [, , wide, high] = windowOn(SIDE, FIELDS[k + 1]);
    const sees = `sees ${high} \u00d7 ${wide} points${wide * high < FIELDS[k + 1].size ** 2 ? " and the dark beyond" : ""}`;
    reading.replaceChildren(make("b", {}, `${layer.name}, plane ${plane + 1}, row ${row + 1}, column ${column + 1}`), ` ${sees}. Driven by ${number(e[plane])}, ${layer.learns ? "braked by" : "the planes\u2019 mean"} ${number(against)}: `,
      layer.learns ? `${number(layer.r)} \u00b7 max(0, ${number(1 + e[plane])} / ${number(1 + against)} \u2212 1) = ` : `t = ${number(t)}, t / (${SATURATION} + t) = `, make("b", {}, number(value)),
      layer.learns ? `. Its weights${k ? `, for each plane of ${LAYERS[k - 1].name}` : ""}:` : ". Its fixed weights:");
    for (const c of layer.learns && k ? network.shown[k - 1] : [0]) {
      kernels.push(layer.mask.map((fixed, tap) => (layer.learns ? weights.excitatory[(tap * below.planes + c) * PLANES + plane] : fixed)));
    }
    const across = Math.min(columns, kernels.length);
    const cell = 40 / layer.size;
    set(weightsView, { width: across * 44, height: Math.ceil(kernels.length / across) * 44, style: `width: ${across * 34}px` });
    const context = weightsView.getContext("2d");
    const most = Math.max(...kernels.flat());
    kernels.forEach((values, n) => values.forEach((value, tap) => {
      const place = [(n % across) * 44 + (tap % layer.size) * cell, Math.floor(n / across) * 44 + Math.floor(tap / layer.size) * cell, cell, cell];
      for (const [colour, share] of [["sunk", 1], ["ink", value / most]]) {
        Object.assign(context, { fillStyle: ui.colour(colour), globalAlpha: share });
        context.fillRect(...place);
      }
    }));
  }

  function choose(layer, plane, row, column) {
    const cell = { layer, plane, row, column };
    if (JSON.stringify(cell) === JSON.stringify(state.cell)) return;
    state.cell = cell;
    paintAll();
    ui.say(reading.textContent);
  }

  function point(k, event) {
    const box = views[k].canvas.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * views[k].canvas.width, ((event.clientY - box.top) / box.height) * views[k].canvas.height];
    for (const plane of network.shown[k]) {
      const { x: left, y: top, cell, side } = tile(k, plane);
      const [row, column] = [Math.floor((y - top) / cell), Math.floor((x - left) / cell)];
      if (row >= 0 && row < side && column >= 0 && column < side) choose(k, plane, row, column);
    }
  }

  function walk(k, event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const [shown, { side }] = [network.shown[k], maps[k + 1]];
    if (state.cell.layer !== k) { choose(k, shown[0], Math.floor(side / 2), Math.floor(side / 2)); return; }
    const [row, column] = [state.cell.row + by[0], state.cell.column + by[1]];
    const jump = Math.floor(column / side) + columns * Math.floor(row / side); // over a plane's edge lies the next plane
    const next = shown[shown.indexOf(state.cell.plane) + jump];
    if (next !== undefined) choose(k, next, (row + side) % side, (column + side) % side);
  }

  regrow();
  new ResizeObserver(() => {
    const fitting = views[0].element.clientWidth > 430 ? 12 : 8;
    if (fitting !== columns) { columns = fitting; paintAll(); }
  }).observe(ui.card);
  ui.onTheme(paintAll);
  return { state, grow, forward, line, draw, strokesOf, fields: FIELDS, tile, choose, get network() { return network; }, get pixels() { return [...pixels]; }, get maps() { return maps.map(({ values }) => [...values]); }, };
}
