/*
 * title: Thinned nets and their average
 * chapter: training/regularization
 * options: hidden, weights, bias
 * alt: A net of six hidden units and one output, two of its units crossed out. Beside it a line of the average
 *   over all masks drawn so far comes to rest on the exact average over all 64 masks. With a linear output that is the answer
 *   of the whole net; with a ReLU it lies above it.
 */
import { button, choice, make, number, randomness, slider } from "./_base.js";

const [WIDTH, HEIGHT, LEFT, RIGHT] = [600, 262, 300, 572];
const RATE = 0.5;

/** What the output unit says of the units that are kept, each grown by 1 / (1 - rate). */
export function answer(net, kept, reader) {
  const scale = kept.every(Boolean) && net.whole ? 1 : 1 / (1 - RATE);
  const sum = net.hidden.reduce((all, h, i) => all + (kept[i] ? h * net.weights[i] * scale : 0), 0) + net.bias;
  return reader === "ReLU" ? Math.max(0, sum) : sum;
}

/** The whole net: nothing is dropped, and nothing grows. */
export const whole = (net, reader) => answer({ ...net, whole: true }, net.hidden.map(() => true), reader);

/** The average over all masks, each as likely as the other at a rate of one half. */
export function average(net, reader) {
  const n = net.hidden.length;
  let sum = 0;
  for (let code = 0; code < 2 ** n; code++) sum += answer(net, net.hidden.map((_, i) => Boolean((code >> i) & 1)), reader);
  return sum / 2 ** n;
}

export default function figure(ui, options) {
  const net = { hidden: [0.9, 0.4, 1.2, 0.7, 0.3, 1.0], weights: [1.0, -0.8, 0.6, -1.1, 0.9, -0.7], bias: -0.2, ...options };
  const state = { kept: net.hidden.map(() => true), reader: "linear", bias: net.bias, drawn: [] };
  let chance = randomness(3);
  const picture = make("svg", { role: "group", "aria-label": "A net of six hidden units, and the average over the masks drawn", viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
  const words = make("p", { class: "note" });
  const toggle = (i) => { state.kept[i] = !state.kept[i]; update(); };
  const units = net.hidden.map((_, i) => make("g", { role: "button", tabindex: 0, class: "unit",
    onclick: () => toggle(i),
    onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(i); } } }));
  function draw(times) {
    for (let time = 0; time < times; time++) {
      state.kept = net.hidden.map(() => chance() >= RATE);
      state.drawn.push(answer(net, state.kept, state.reader));
    }
    update();
  }
  function begin() {
    Object.assign(state, { drawn: [], kept: net.hidden.map(() => true) });
    chance = randomness(3);
    update();
  }
  ui.card.append(
    make("p", { class: "lead" }, "Drop units by hand, or draw masks. Does their average come to the whole net's answer?"),
    make("div", { class: "stage" }, picture), words,
    make("div", { class: "controls" },
      slider({ label: "Its bias:", min: -1, max: 1, step: 0.1, value: state.bias, show: (bias) => number(bias, 1), change: (bias) => { state.bias = net.bias = bias; begin(); } }).element,
      choice({ label: "The output is", options: [["linear", "linear"], ["ReLU", "a ReLU"]], value: state.reader, change: (reader) => { state.reader = reader; begin(); } }).element,
      button("Draw a mask", () => draw(1)), button("Draw 100", () => draw(100)), button("Begin again", begin)));

  const row = (i) => 26 + (i * (HEIGHT - 52)) / (net.hidden.length - 1);

  function drawNet() {
    const lines = net.hidden.map((_, i) => make("line", { x1: 70, y1: row(i), x2: 212, y2: HEIGHT / 2,
      class: !state.kept[i] ? "gone" : net.weights[i] < 0 ? "less" : "more", "stroke-width": (1 + 3 * Math.abs(net.weights[i])).toFixed(1) }));
    units.forEach((unit, i) => {
      unit.setAttribute("aria-pressed", String(!state.kept[i]));
      const shown = state.kept[i] ? number(net.hidden[i], 1) : "\u00d7";
      unit.setAttribute("aria-label", `${shown}, hidden unit ${i + 1}`);
      unit.replaceChildren(make("circle", { cx: 56, cy: row(i), r: 16, class: state.kept[i] ? "kept" : "dropped" }),
        make("text", { x: 56, y: row(i) + 4.5, "text-anchor": "middle" }, shown));
    });
    return [...lines, ...units, make("circle", { cx: 226, cy: HEIGHT / 2, r: 22, class: "kept" }),
      make("text", { x: 226, y: HEIGHT / 2 + 4.5, "text-anchor": "middle" }, number(said(), 2))];
  }

  const said = () => (state.kept.every(Boolean) ? whole(net, state.reader) : answer(net, state.kept, state.reader));

  function drawPlot() {
    const [goal, exact] = [whole(net, state.reader), average(net, state.reader)];
    let sum = 0;
    const line = state.drawn.map((value, i) => (sum += value) / (i + 1));
    const [low, high] = [Math.min(goal, exact) - 0.7, Math.max(goal, exact) + 0.7];
    const y = (value) => HEIGHT - 34 - ((Math.min(high, Math.max(low, value)) - low) * (HEIGHT - 62)) / (high - low);
    const most = Math.max(100, line.length);
    const x = (i) => LEFT + ((RIGHT - LEFT) * Math.log(i + 1)) / Math.log(most);
    const level = (value, name, kind, above) => [make("line", { x1: LEFT, x2: RIGHT, y1: y(value), y2: y(value), class: kind }),
      make("text", { x: RIGHT, y: y(value) + (above ? -6 : 16), "text-anchor": "end" }, `${name} ${number(value, 2)}`)];
    return [make("line", { x1: LEFT, x2: RIGHT, y1: HEIGHT - 30, y2: HEIGHT - 30, class: "axis" }),
      make("text", { x: LEFT, y: HEIGHT - 12 }, "1 mask"), make("text", { x: RIGHT, y: HEIGHT - 12, "text-anchor": "end" }, `${most} masks`),
      ...level(goal, "the whole net", "goal", false), ...level(exact, "all 64 masks", "exact", true),
      line.length ? make("polyline", { points: line.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" "), class: "run" }) : null,
      line.length ? make("circle", { cx: x(line.length - 1), cy: y(line.at(-1)), r: 4, class: "dot" }) : null].filter(Boolean);
  }

  function update() {
    const held = picture.getRootNode().activeElement;
    picture.replaceChildren(...drawNet(), ...drawPlot());
    if (units.includes(held)) held.focus();
    const gone = state.kept.filter((kept) => !kept).length;
    const mean = state.drawn.reduce((a, b) => a + b, 0) / state.drawn.length;
    words.textContent = `${gone ? `Without ${gone} of its units this net says ${number(said(), 2)}` : `Whole, the net says ${number(said(), 2)}`}. ` +
      (state.drawn.length ? `Average over ${state.drawn.length} drawn: ${number(mean, 2)}. ` : "") +
      `Average over all 64 masks: ${number(average(net, state.reader), 2)}.`;
    ui.say(words.textContent);
  }

  update();
  return { state, net, answer, whole, average, draw, pose() { state.reader = "ReLU"; begin(); draw(60); } };
}
