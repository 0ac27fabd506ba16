/*
 * title: Overlapping stamps
 * chapter: layers/upsampling
 * options: weights, stride, inputs
 * alt: Six input pixels of one stamp a kernel of three weights each, two pixels apart. The stamps stand in rows,
 *   shifted; below them their sum, in which pixels that two stamps reach are twice as high as those of one:
 *   a stripe of period two.
 */
import { button, list, make, number, randomness, set, slider } from "./_base.js";

const [WIDTH, CELL, LOW, HIGH] = [460, 22, -2, 2];
const LEFT = 58;

/** Each input stamps the whole kernel, `stride` apart: the rows of stamps, their sum, and what each phase gets from ones. */
export function stamp(inputs, weights, stride) {
  const length = (inputs.length - 1) * stride + weights.length;
  const rows = inputs.map((value, i) => Array.from({ length }, (_, at) => {
    const tap = at - i * stride;
    return tap >= 0 && tap < weights.length ? value * weights[tap] : null;
  }));
  const total = Array.from({ length }, (_, at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0));
  const phases = Array.from({ length: stride }, (_, phase) => weights.filter((_, tap) => tap % stride === phase).reduce((a, b) => a + b, 0));
  return { rows, sum: total, phases };
}

/** The kernel that enlarging by copies and then convolving with `weights` amounts to: the weights, blurred by a box. */
export function tied(weights, stride) {
  return Array.from({ length: weights.length + stride - 1 }, (_, at) =>
    weights.reduce((sum, w, tap) => sum + (at - tap >= 0 && at - tap < stride ? w : 0), 0));
}

export default function figure(ui, options) {
  const state = { weights: [1, 1, 1], stride: 2, inputs: [1, 1, 1, 1, 1, 1], ...options };
  const chance = randomness(7);
  const picture = make("svg", { role: "img", "aria-label": "Stamps in rows, and their sum" });
  const words = make("p", { class: "note" });
  const sliders = make("div", { class: "controls" });
  const size = list({ label: "Weights", options: [2, 3, 4, 5].map((k) => [String(k), `${k} weights`]), value: String(state.weights.length),
    change: (k) => put(Array.from({ length: Number(k) }, (_, i) => state.weights[i] ?? 1)) });
  const stride = slider({ label: "Stride", min: 1, max: 3, value: state.stride, change: (s) => { state.stride = s; update(); } });
  ui.card.append(
    make("p", { class: "lead" }, "Every input pixel stamps the kernel. Where stamps overlap they add up. Move a weight."),
    make("div", { class: "stage" }, picture), words, sliders,
    make("div", { class: "controls" }, size.element, stride.element,
      button("All ones", () => put(state.weights.map(() => 1))),
      button("By chance", () => put(state.weights.map(() => Math.round(10 * (2.4 * chance() - 1.2)) / 10))),
      button("Enlarge, then convolve", () => put(tied([-0.5, 1, 0.7].slice(0, Math.max(1, 6 - state.stride - 1)), state.stride)))));

  function put(weights) {
    state.weights = weights.map((w) => Math.round(10 * w) / 10);
    size.value = String(state.weights.length);
    controls();
    update();
  }

  function controls() {
    sliders.replaceChildren(...state.weights.map((value, i) => slider({ label: `Weight ${i + 1}`, min: LOW, max: HIGH, step: 0.1, value,
      show: (v) => number(v, 1), change: (v) => { state.weights[i] = v; update(); } }).element));
  }

  function update() {
    const { rows, sum, phases } = stamp(state.inputs, state.weights, state.stride);
    const step = (WIDTH - LEFT) / sum.length;
    const base = rows.length * CELL + 96;
    const tall = 60 / Math.max(1, ...sum.map(Math.abs));
    const even = Math.max(...phases) - Math.min(...phases) < 1e-9;
    set(picture, { viewBox: `0 0 ${WIDTH} ${base + 66}` });
    const text = (x, y, what, kind = "") => make("text", { x, y, class: kind }, what);
    picture.replaceChildren(
      ...rows.flatMap((row, i) => [text(0, i * CELL + 15, `input ${i + 1}`), ...row.flatMap((value, at) => value === null ? [] : [
        make("rect", { x: LEFT + at * step + 1, y: i * CELL + 1, width: step - 2, height: CELL - 3, rx: 3, class: value < 0 ? "cold" : "warm", opacity: 0.2 + 0.8 * Math.min(1, Math.abs(value) / HIGH) }),
        step > 20 ? text(LEFT + (at + 0.5) * step, i * CELL + 15, number(value, 1), "middle") : null])].filter(Boolean)),
      text(0, base + 4, "sum"), make("line", { x1: LEFT, x2: WIDTH, y1: base, y2: base, class: "axis" }),
      ...sum.map((value, at) => make("rect", { x: LEFT + at * step + 2, width: step - 4, y: base - Math.max(0, value) * tall, height: Math.max(1, Math.abs(value) * tall), class: `bar phase${at % state.stride}` })));
    const told = phases.map((value) => number(value, 1)).join(", ");
    words.textContent = state.stride === 1 ? `With stride 1 there is one kind of output pixel, and it gets ${told} from a constant input.`
      : `The ${state.stride} kinds of output pixel get ${told} from a constant input: ${even ? "the same, no stripes." : "stripes."}` +
        (state.weights.length % state.stride ? "" : " Each is reached by equally many weights.");
    ui.say(words.textContent);
  }

  controls();
  update();
  return { state, stamp, tied, put };
}
