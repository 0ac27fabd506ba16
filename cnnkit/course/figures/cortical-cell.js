/*
 * title: A bar over a cortical cell
 * chapter: origins/hubel-wiesel
 * options: cell, orientation, wavelength, phase, width, length, angle, x, y
 * alt: A bright bar lies over the receptive field of a simple cell, a blue stripe that light excites
 *   between two orange stripes that light inhibits. Beside it the firing rate, the train of spikes,
 *   and a tuning curve with one narrow peak, at the angle where the bar lies along the stripe.
 */
import { button, choice, clamp, draggable, frames, make, number, parts, randomness, set, slider, still } from "./_base.js";

const SIZE = 45; // the field's side in pixels
const RATE = 60; // spikes a second at the cell's best

const radians = (degrees) => (degrees * Math.PI) / 180;
const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);

/** Calls entry(along, across) at each pixel of a square, in a line's own coordinates; y grows upwards. */
function onGrid(size, orientation, x, y, entry) {
  const [c, s] = [Math.cos(radians(orientation)), Math.sin(radians(orientation))];
  const half = (size - 1) / 2;
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [right, up] = [(at % size) - half - x, half - Math.floor(at / size) - y];
    return entry(right * c + up * s, up * c - right * s);
  });
}

/** A Gabor patch of unit length and zero sum: cnnkit.origins.gabor, row by row. */
export function gabor(size, { orientation = 90, wavelength = 6, phase = 0, sigma = 0.45 * wavelength, aspect = 0.5, x = 0, y = 0 } = {}) {
  const envelope = onGrid(size, orientation, x, y, (along, across) => Math.exp(-(across ** 2 + (aspect * along) ** 2) / (2 * sigma ** 2)));
  const wave = onGrid(size, orientation, x, y, (along, across) => Math.cos((2 * Math.PI * across) / wavelength + radians(phase)));
  const patch = wave.map((value, at) => value * envelope[at]);
  const total = (values) => values.reduce((a, b) => a + b, 0);
  const excess = total(patch) / total(envelope);
  patch.forEach((value, at) => { patch[at] = value - excess * envelope[at]; });
  const length = Math.sqrt(dot(patch, patch));
  return patch.map((value) => value / length);
}

const edge = (inside) => clamp(inside + 0.5, 0, 1);

/** A bright bar on a dark field: cnnkit.data.oriented_bars, row by row. */
export function bar(size, angle, { width = 3, length = null, x = 0, y = 0 } = {}) {
  return onGrid(size, angle, x, y, (along, across) =>
    edge(width / 2 - Math.abs(across)) * (length === null ? 1 : edge(length / 2 - Math.abs(along))));
}

/** A linear filter and a half-wave rectifier: cnnkit.origins.simple_cell. */
export const simpleCell = (image, field) => Math.max(0, dot(image, field));

/** The squares of two filters a quarter wave apart, added: cnnkit.origins.complex_cell_energy. */
export const complexCell = (image, even, odd) => dot(image, even) ** 2 + dot(image, odd) ** 2;

const VIEW = 180; // the drawn field's side
const GRAPH = { width: 320, height: 200, left: 30, bottom: 40, top: 32 };

export default function figure(ui, options) {
  const state = { cell: "simple", orientation: 60, wavelength: 13, phase: 0, width: 6, length: 26, angle: 150, x: 0, y: 0, field: true, ...options };
  let even, odd, best, rate = 0;
  let visited = [], ghost = [];
  let spikes = [], clock = 0, sound = null;
  const chance = randomness(1962);

  const stage = make("canvas", { width: VIEW, height: VIEW, "aria-hidden": "true" });
  const body = make("rect", { class: "body", rx: 1 });
  const knobs = [1, -1].map(() => make("g", { class: "knob" }, make("circle", { r: 5, class: "reach" }), make("circle", { r: 1.5 })));
  const screen = make("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, tabindex: 0, role: "application", "aria-roledescription": "bar",
    "aria-label": "The bar on its screen. Arrow keys move it, with shift they turn it." }, body, knobs);

  const meter = make("div", { class: "fill" });
  const rateText = make("b");
  const reading = make("p", { class: "reading" });
  const train = make("path", { class: "spikes" });
  const [trace, shadow, dots] = [make("path", { class: "trace" }), make("path", { class: "trace ghost" }), make("g")];
  const peak = make("g", { class: "peak" });
  const needle = make("circle", { r: 4.5, class: "needle" });
  const plot = { x: (angle) => GRAPH.left + (angle / 180) * (GRAPH.width - GRAPH.left - 16),
    y: (share) => GRAPH.height - GRAPH.bottom - share * (GRAPH.height - GRAPH.bottom - GRAPH.top) };
  const graph = make("svg", { viewBox: `0 0 ${GRAPH.width} ${GRAPH.height}`, role: "img", "aria-label": "Tuning curve: firing rate against the angle of the bar" },
    [0, 0.5, 1].map((share) => make("line", { x1: plot.x(0), x2: plot.x(180), y1: plot.y(share), y2: plot.y(share), class: share ? "rule" : "axis" })),
    [0, 45, 90, 135, 180].map((angle) => make("text", { x: plot.x(angle), y: GRAPH.height - 25, class: "middle" }, `${angle}\u00b0`)),
    make("text", { x: plot.x(90), y: GRAPH.height - 7, class: "middle" }, "angle of the bar"), make("text", { x: 0, y: 11 }, "spikes a second"),
    [0, 0.5, 1].map((share) => make("text", { x: GRAPH.left - 5, y: plot.y(share) + 3.5, class: "end" }, String(share * RATE))),
    shadow, trace, dots, peak, needle);

  const respond = (image) => (state.cell === "simple" ? simpleCell(image, even) : complexCell(image, even, odd));
  const stimulus = (angle = state.angle, x = state.x, y = state.y) => bar(SIZE, angle, { ...state, x, y });

  /** Grow the cell anew, and find the bar that fires it most. */
  function grow() {
    even = gabor(SIZE, state);
    odd = gabor(SIZE, { ...state, phase: state.phase + 90 });
    const [right, up] = [-Math.sin(radians(state.orientation)), Math.cos(radians(state.orientation))];
    best = Math.max(...Array.from({ length: 41 }, (_, at) => (at - 20) / 2)
      .map((shift) => respond(stimulus(state.orientation, shift * right, shift * up))));
    forget();
    ghost = [];
    update();
  }

  function forget() {
    if (Object.keys(visited).length > 8) ghost = visited;
    visited = [];
  }

  function move(x, y) {
    const reach = (SIZE - 1) / 2;
    if (x === state.x && y === state.y) return;
    Object.assign(state, { x: clamp(x, -reach, reach), y: clamp(y, -reach, reach) });
    forget();
    update();
  }

  /** Turn the bar the short way round, so that the cell is asked at every degree between. */
  function turn(angle) {
    angle = ((Math.round(angle) % 180) + 180) % 180;
    const way = ((angle - state.angle + 270) % 180) - 90;
    for (let at = state.angle; at !== state.angle + way; at += Math.sign(way)) ask(((at % 180) + 180) % 180);
    state.angle = angle;
    update();
  }

  const ask = (angle) => { visited[angle] ??= respond(stimulus(angle)) / best; };

  function update() {
    const image = stimulus();
    const response = respond(image);
    rate = (RATE * response) / best;
    visited[state.angle] = response / best;
    turner.value = state.angle;
    kind.value = state.cell;
    drawStage();
    drawGraph();
    meter.style.width = `${Math.min(100, (100 * rate) / RATE)}%`;
    rateText.textContent = `${Math.round(rate)} spikes a second`;
    tell(image, response);
    if (still()) raster();
    else run(true);
  }

  function tell(image, response) {
    const blue = image.reduce((sum, value, at) => sum + value * Math.max(0, even[at]), 0);
    const orange = image.reduce((sum, value, at) => sum + value * Math.max(0, -even[at]), 0);
    if (state.cell === "simple") {
      reading.replaceChildren("Light on ", make("span", { class: "cool" }, "blue"), ` ${blue.toFixed(2)}, on `, make("span", { class: "warm" }, "orange"),
        ` ${orange.toFixed(2)}: ${number(blue - orange)}`, response > 0.005 ? ", it fires." : ", it is silent.");
    } else {
      reading.replaceChildren(`Two filters a quarter wave apart: (${number(dot(image, even))})\u00b2 + (${number(dot(image, odd))})\u00b2 = ${number(response)}`);
    }
    ui.say(`Bar at ${state.angle} degrees, ${Math.round(rate)} spikes a second.`);
  }

  function drawStage() {
    const context = stage.getContext("2d");
    const scale = VIEW / SIZE;
    const pixels = context.createImageData(VIEW, VIEW);
    const [c, s] = [Math.cos(radians(state.angle)), Math.sin(radians(state.angle))];
    const largest = Math.max(...even.map(Math.abs));
    const [orange, blue] = [parts(ui.colour("orange")), parts(ui.colour("blue"))];
    for (let at = 0; at < VIEW * VIEW; at += 1) {
      const [row, column] = [Math.floor(at / VIEW), at % VIEW];
      const [right, up] = [(column + 0.5) / scale - SIZE / 2 - state.x, SIZE / 2 - (row + 0.5) / scale - state.y];
      const [along, across] = [right * c + up * s, up * c - right * s];
      const light = edge((state.width / 2 - Math.abs(across)) * 2) * edge((state.length / 2 - Math.abs(along)) * 2);
      const tone = 22 + 222 * light;
      const [e, o] = state.field ? sample(row / scale, column / scale) : [0, 0];
      const weight = (state.cell === "simple" ? e : Math.hypot(e, o)) / largest;
      const tint = weight < 0 ? orange : blue;
      const share = Math.min(1, Math.abs(weight)) * 0.85;
      pixels.data.set([...tint.map((part) => tone + (part * (0.8 + 0.2 * light) - tone) * share), 255], 4 * at);
    }
    context.putImageData(pixels, 0, 0);
    const place = `translate(${SIZE / 2 + state.x} ${SIZE / 2 - state.y}) rotate(${-state.angle})`;
    set(body, { x: -state.length / 2 - 2, y: -state.width / 2 - 2, width: state.length + 4, height: state.width + 4, transform: place });
    knobs.forEach((knob, side) => set(knob, { transform: `${place} translate(${(side ? -1 : 1) * (state.length / 2 + 2.5)} 0)` }));
  }

  /** Both filters between their pixels, by straight lines. */
  function sample(row, column) {
    const [top, left] = [clamp(row - 0.5, 0, SIZE - 1.001), clamp(column - 0.5, 0, SIZE - 1.001)];
    const at = Math.floor(top) * SIZE + Math.floor(left);
    const [down, over] = [top % 1, left % 1];
    return [even, odd].map((field) => (field[at] * (1 - over) + field[at + 1] * over) * (1 - down)
      + (field[at + SIZE] * (1 - over) + field[at + SIZE + 1] * over) * down);
  }

  function curve(values) {
    const closed = [...Array(181).keys()].map((angle) => values[angle % 180]);
    return closed.map((share, angle) => (share === undefined ? "" : `${closed[angle - 1] === undefined ? "M" : "L"}${plot.x(angle).toFixed(1)} ${plot.y(share).toFixed(1)}`)).join("");
  }

  function drawGraph() {
    set(trace, { d: curve(visited) });
    set(shadow, { d: curve(ghost) });
    set(needle, { cx: plot.x(state.angle), cy: plot.y(visited[state.angle]) });
    const asked = Object.keys(visited);
    const top = asked.reduce((a, b) => (visited[a] >= visited[b] ? a : b));
    const whole = asked.length > 150 && visited[top] > 0.05;
    peak.replaceChildren(...(whole ? [make("line", { x1: plot.x(top), x2: plot.x(top), y1: plot.y(0), y2: plot.y(visited[top]) }),
      make("text", { x: clamp(plot.x(top), 60, 290), y: plot.y(visited[top]) - 7, class: "middle" }, `best at ${top}\u00b0`)] : []));
  }

  /** One second of spikes at the present rate, at rest, for those who asked for less motion. */
  function raster() {
    const dice = randomness(1 + Math.round(rate));
    const times = Array.from({ length: 300 }, (_, at) => at / 300).filter(() => dice() < rate / 300);
    set(train, { d: times.map((time) => `M${(time * 320).toFixed(1)} 6V34`).join("") });
  }

  const SPAN = 3;
  const run = frames(ui.card, (seconds) => {
    clock += seconds;
    if (sweeping !== null) sweep(seconds);
    const fires = chance() < 1 - Math.exp(-rate * seconds);
    if (fires) { spikes.push(clock); click(); }
    spikes = spikes.filter((time) => time > clock - SPAN);
    set(train, { d: spikes.map((time) => `M${(320 * (1 - (clock - time) / SPAN)).toFixed(1)} 6V34`).join("") });
    if (!spikes.length && rate < 0.5 && sweeping === null) run(false);
  });

  function click() {
    if (!sound) return;
    const noise = sound.createBuffer(1, 132, 44100);
    noise.getChannelData(0).forEach((_, at, wave) => { wave[at] = (chance() * 2 - 1) * (1 - at / 132) ** 2; });
    const [source, gain] = [sound.createBufferSource(), sound.createGain()];
    source.buffer = noise;
    gain.gain.value = 0.35;
    source.connect(gain).connect(sound.destination);
    source.start();
  }

  let sweeping = null;
  function sweep(seconds) {
    const before = Math.floor(sweeping);
    sweeping = Math.min(180, sweeping + seconds * 45);
    if (Math.floor(sweeping) > before) turn(state.angle + Math.floor(sweeping) - before);
    if (sweeping === 180) sweeping = null;
  }

  const kind = choice({ label: "Cell", value: state.cell, options: [["simple", "Simple"], ["complex", "Complex"]],
    change: (cell) => { state.cell = cell; grow(); } });
  const turner = slider({ label: "Angle of the bar", min: 0, max: 179, value: state.angle, show: (v) => `${v}\u00b0`, change: turn });
  const around = button("Turn it right round", () => {
    if (!still()) { sweeping = 0; return run(true); }
    for (let angle = 0; angle < 180; angle += 1) ask(angle);
    return update();
  });
  const reveal = button("Show its field", (on) => { state.field = on; update(); }, state.field);
  const other = button("Another cell", () => {
    const dice = chance();
    state.orientation = Math.floor(dice * 180);
    state.phase = [0, 90, 180, 270][Math.floor(chance() * 4)];
    if (reveal.getAttribute("aria-pressed") === "true") reveal.click();
    grow();
  });
  const hear = button("Sound", (on) => {
    if (on) sound = new AudioContext();
    else { sound?.close(); sound = null; }
  }, false);

  ui.card.append(
    make("p", { class: "lead" }, "Drag the bar, or turn it by its ends. When does the cell fire? Another cell hides its field: find it."),
    make("div", { class: "stage" },
      make("div", { class: "screen" }, stage, screen),
      make("div", { class: "records" },
        make("div", { class: "meter", "aria-hidden": "true" }, meter),
        make("p", { class: "rate" }, rateText), reading,
        make("svg", { viewBox: "0 0 320 40", class: "train", "aria-hidden": "true" }, make("line", { x1: 0, x2: 320, y1: 34, y2: 34, class: "axis" }), train),
        graph)),
    make("div", { class: "controls" }, turner.element, kind.element, around, other, reveal, hear),
    make("p", { class: "note" }, "Keys: arrows move the bar, shift and arrows turn it. The pale curve is the one before the bar was moved."));

  const at = (x, y) => [(x - 0.5) * SIZE, (0.5 - y) * SIZE];
  let grip = [0, 0];
  draggable(body, screen, (x, y) => { sweeping = null; move(at(x, y)[0] - grip[0], at(x, y)[1] - grip[1]); },
    (x, y) => { grip = [at(x, y)[0] - state.x, at(x, y)[1] - state.y]; });
  knobs.forEach((knob, side) => draggable(knob, screen, (x, y) => {
    sweeping = null;
    const [right, up] = at(x, y);
    turn((Math.atan2(up - state.y, right - state.x) * 180) / Math.PI + 180 * side);
  }));
  screen.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    sweeping = null;
    if (event.shiftKey) turn(state.angle + 5 * (by[1] || -by[0]));
    else move(state.x + by[0], state.y + by[1]);
  });
  grow();
  return { state, gabor, bar, simpleCell, complexCell, turn, move, get rate() { return rate; }, get visited() { return visited; },
    response: () => respond(stimulus()), pose() { for (let angle = 0; angle < 180; angle += 1) ask(angle); turn(72); } };
}
