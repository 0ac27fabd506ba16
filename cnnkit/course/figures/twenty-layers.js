/*
 * title: Gradients through twenty layers
 * chapter: layers/activations
 * options: activation, gain, centred
 * alt: Two rows of twenty dots on a logarithmic scale, one dot a layer: how much the layer's outputs
 *   differ from image to image, and how large the gradient is that comes back to it. With sigmoids
 *   and a gain of 1 both fall by many powers of ten.
 */
import { button, choice, make, number, randomness, set, slider } from "./_base.js";

const [DEPTH, WIDTH, IMAGES] = [20, 48, 24];
const [LOW, HIGH] = [-14, 6]; // powers of ten that are drawn
const sigmoid = (z) => (1 + Math.tanh(z / 2)) / 2;
const ACTIVATIONS = {
  linear: { name: "none", f: (z) => z, slope: () => 1 },
  sigmoid: { name: "sigmoid", f: sigmoid, slope: (z) => sigmoid(z) * (1 - sigmoid(z)) },
  tanh: { name: "tanh", f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
  relu: { name: "ReLU", f: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
};

/** a times b, or a times b transposed. */
function times(a, b, turned = false) {
  const columns = turned ? b.length : b[0].length;
  return a.map((row) => Array.from({ length: columns }, (_, j) =>
    row.reduce((sum, value, k) => sum + value * (turned ? b[j][k] : b[k][j]), 0)));
}

/** The root of the mean square of a table; about the mean of each column where `spread` asks for it. */
function size(rows, spread = false) {
  const means = rows[0].map((_, j) => (spread ? rows.reduce((sum, row) => sum + row[j], 0) / rows.length : 0));
  const total = rows.reduce((sum, row) => sum + row.reduce((s, value, j) => s + (value - means[j]) ** 2, 0), 0);
  return Math.sqrt(total / (rows.length * rows[0].length));
}

/** How much each layer's outputs differ between images, and how large the gradient is that comes back to it. */
export function flow({ activation, gain, centred, weights, images, back }) {
  const { f, slope } = ACTIVATIONS[activation];
  const scaled = weights.map((w) => w.map((row) => row.map((value) => (gain * value) / Math.sqrt(w.length))));
  const kept = [];
  let h = images;
  scaled.forEach((w, layer) => {
    const bias = w[0].map((_, j) => (centred && layer ? -w.reduce((sum, row) => sum + row[j], 0) / 2 : 0));
    const z = times(h, w).map((row) => row.map((value, j) => value + bias[j]));
    kept.push(z);
    h = z.map((row) => row.map(f));
  });
  const up = kept.map((z) => size(z.map((row) => row.map(f)), true));
  const down = [];
  let g = back;
  for (let layer = scaled.length - 1; layer >= 0; layer -= 1) {
    g = g.map((row, i) => row.map((value, j) => value * slope(kept[layer][i][j])));
    down.unshift(size(g));
    g = times(g, scaled[layer], true);
  }
  return { up, down };
}

function normals(random, rows, columns) {
  const one = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: rows }, () => Array.from({ length: columns }, one));
}

/** A number as a multiple of a power of ten. */
function power(value) {
  if (value >= 0.001 && value < 1000) return number(value, value < 0.1 ? 3 : 2);
  const [mantissa, exponent] = value.toExponential(0).split("e");
  const raised = [...String(Number(exponent))].map((sign) => ({ "-": "\u207b" }[sign] ?? "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[sign]));
  return value > 0 ? `${mantissa} \u00d7 10${raised.join("")}` : "0";
}

export default function figure(ui, options) {
  const state = { activation: "sigmoid", gain: 1, centred: false, ...options };
  const random = randomness(20);
  const net = {
    weights: Array.from({ length: DEPTH }, () => normals(random, WIDTH, WIDTH)),
    images: normals(random, IMAGES, WIDTH),
    back: normals(random, IMAGES, WIDTH),
  };
  const [W, H, LEFT, BOTTOM, TOP] = [640, 310, 54, 52, 12];
  const across = (layer) => LEFT + ((layer + 0.5) / DEPTH) * (W - LEFT - 8);
  const upon = (value) => TOP + ((HIGH - Math.min(HIGH, Math.max(LOW, Math.log10(value)))) / (HIGH - LOW)) * (H - TOP - BOTTOM);
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", class: "plot" });
  for (let p = LOW; p <= HIGH; p += 4) {
    svg.append(make("line", { class: "grid", x1: LEFT, x2: W - 8, y1: upon(10 ** p), y2: upon(10 ** p) }),
      make("text", { x: LEFT - 8, y: upon(10 ** p) + 5, "text-anchor": "end" }, "10", make("tspan", { dy: -6, "font-size": 11 }, number(p))));
  }
  for (const layer of [1, 5, 10, 15, 20]) svg.append(make("text", { x: across(layer - 1), y: H - 30, "text-anchor": "middle" }, layer));
  svg.append(make("text", { x: (LEFT + W) / 2, y: H - 5, "text-anchor": "middle", class: "axis" }, "layer, counted from the image"));
  const series = ["up", "down"].map((name) => {
    const line = make("polyline", { class: `line ${name}` });
    const dots = Array.from({ length: DEPTH }, () => (name === "up" ? make("circle", { class: `dot ${name}`, r: 4.5 }) : make("rect", { class: `dot ${name}`, width: 9, height: 9 })));
    svg.append(make("g", {}, line, dots));
    return { name, line, dots };
  });
  const words = make("p", { class: "note" });
  const kind = choice({ label: "Activation", options: Object.entries(ACTIVATIONS).map(([key, { name }]) => [key, name]), value: state.activation,
    change: (activation) => { state.activation = activation; update(); } });
  const gain = slider({ label: "Gain of the weights:", min: 0.25, max: 5, step: 0.05, value: state.gain, show: (v) => number(v, 2),
    change: (value) => { state.gain = value; update(); } });
  const start = (label, value) => button(label, () => { state.gain = value; gain.value = value; update(); });
  const half = button("Biases take the half away", (pressed) => { state.centred = pressed; update(); }, state.centred);
  ui.card.append(
    make("p", { class: "lead" }, `Twenty layers of ${WIDTH} units before training, computed here. Weights are normal numbers with the spread gain / \u221a${WIDTH}; choose the activation and move the gain.`),
    make("div", { class: "stage" }, svg,
      make("p", { class: "key" }, make("span", { class: "up" }, "\u25cf difference between images"), make("span", { class: "down" }, "\u25a0 gradient that comes back"))),
    words,
    make("div", { class: "controls" }, kind.element, gain.element, start("Glorot: 1", 1), start("He: \u221a2", Math.SQRT2), start("Four times", 4), half));

  function update() {
    const { up, down } = flow({ ...net, ...state });
    const found = { up, down };
    series.forEach(({ name, line, dots }) => {
      const points = found[name].map((value, layer) => [across(layer), upon(Math.max(value, 1e-300))]);
      set(line, { points: points.map((point) => point.map((v) => v.toFixed(1)).join(",")).join(" ") });
      points.forEach(([x, y], i) => set(dots[i], name === "up" ? { cx: x, cy: y } : { x: x - 4.5, y: y - 4.5 }));
    });
    const told = `Layer 20 differs between images by ${power(up[DEPTH - 1])}; the gradient is ${power(down[DEPTH - 1])} there and ${power(down[0])} at layer 1.`;
    words.textContent = `${told} ${verdict(up, down)}`;
    set(svg, { "aria-label": `${ACTIVATIONS[state.activation].name}, gain ${number(state.gain, 2)}. ${words.textContent}` });
    ui.say(words.textContent);
  }

  function verdict(up, down) {
    const [forth, back] = [Math.log10(up[DEPTH - 1] / up[0]), Math.log10(down[0] / down[DEPTH - 1])];
    if (back < -4) return "The first layers get next to no gradient.";
    if (back > 2) return "The gradient grows on its way back.";
    if (forth < -2) return "All images look nearly alike at the top.";
    return Math.abs(forth) < 1 && Math.abs(back) < 1 ? "Both keep their size." : "Both change, but slowly.";
  }

  update();
  return { state, flow, net };
}
