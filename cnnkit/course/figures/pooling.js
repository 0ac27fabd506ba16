/*
 * title: One window, all poolings
 * chapter: layers/pooling
 * options: values, p, beta, share, chosen
 * alt: Nine numbered cells on the left, darker where the number is larger. On the right one line
 *   for each pooling with a dot at its answer: the average lies furthest left, the maximum furthest
 *   right, and L2, L3, mixed, softmax and stochastic pooling lie between them.
 */
import { button, clamp, draggable, make, number, randomness, set, slider } from "./_base.js";

const [LOW, HIGH, STEP] = [0, 10, 0.5];

/** The answer of every pooling to one window, and how much of a gradient of one reaches each value. */
export function poolings(values, { p, beta, share }) {
  const n = values.length;
  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const mean = sum(values) / n;
  const largest = Math.max(...values);
  const first = values.indexOf(largest);
  const winner = values.map((_, i) => (i === first ? 1 : 0));
  const norm = (q) => (largest ? largest * (sum(values.map((a) => (a / largest) ** q)) / n) ** (1 / q) : 0);
  const normSlope = (q) => values.map((a) => (norm(q) ? (a / norm(q)) ** (q - 1) / n : 0));
  const weight = values.map((a) => Math.exp(beta * (a - largest)));
  const total = sum(weight);
  const soft = sum(values.map((a, i) => a * weight[i])) / total;
  const all = sum(values);
  const expected = all ? sum(values.map((a) => a * a)) / all : 0;
  return [
    { name: "average", value: mean, gradient: values.map(() => 1 / n) },
    { name: "L2", value: norm(2), gradient: normSlope(2) },
    { name: "Lp", value: norm(p), gradient: normSlope(p) },
    { name: "mixed", value: share * largest + (1 - share) * mean, gradient: winner.map((w) => share * w + (1 - share) / n) },
    { name: "softmax", value: soft, gradient: values.map((a, i) => (weight[i] / total) * (1 + beta * (a - soft))) },
    { name: "stochastic", value: expected, gradient: values.map((a) => (all ? (2 * a - expected) / all : 0)) },
    { name: "max", value: largest, gradient: winner },
  ];
}

export default function figure(ui, options) {
  const state = { values: [1, 2, 1, 3, 8, 2, 0, 5, 1], p: 3, beta: 0.5, share: 0.5, chosen: "stochastic", drawn: [], ...options };
  const side = Math.round(Math.sqrt(state.values.length));
  const random = randomness(6);

  const cells = state.values.map((_, i) => {
    const cell = make("div", { class: "cell", role: "slider", tabindex: 0, "aria-valuemin": LOW, "aria-valuemax": HIGH,
      "aria-label": `Row ${Math.floor(i / side) + 1}, column ${(i % side) + 1}` }, make("b"), make("small"));
    let from = 0, began = 0;
    draggable(cell, cell, (x, y) => put(i, from + (began - y) * 4), (x, y) => { from = state.values[i]; began = y; });
    cell.addEventListener("keydown", (event) => {
      const by = { ArrowUp: STEP, ArrowRight: STEP, ArrowDown: -STEP, ArrowLeft: -STEP, PageUp: 2, PageDown: -2 }[event.key];
      if (!by) return;
      event.preventDefault();
      put(i, state.values[i] + by);
    });
    return cell;
  });
  const patch = make("div", { class: "patch", style: `--side: ${side}` }, cells);
  const rows = poolings(state.values, state).map(({ name }) => {
    const dot = make("span", { class: "dot" });
    const rain = make("span", { class: "rain" });
    const input = make("input", { type: "radio", name: "chosen", value: name, checked: name === state.chosen, onchange: () => { state.chosen = name; update(); } });
    const [label, value] = [make("span", { class: "name" }, name), make("output", {})];
    return { name, dot, rain, label, value, input, element: make("label", { class: "row" }, input, label, make("span", { class: "track" }, rain, dot), value) };
  });
  const table = make("div", { class: "rows", role: "radiogroup", "aria-label": "Pooling" }, rows.map((row) => row.element));
  const words = make("p", { class: "note" });
  const controls = [
    slider({ label: "Lp: p =", min: 1, max: 30, step: 0.5, value: state.p, show: (v) => number(v, 1), change: (p) => { state.p = p; update(); } }),
    slider({ label: "softmax: \u03b2 =", min: 0, max: 5, step: 0.1, value: state.beta, show: (v) => number(v, 1), change: (beta) => { state.beta = beta; update(); } }),
    slider({ label: "mixed: share of the maximum =", min: 0, max: 1, step: 0.05, value: state.share, show: (v) => number(v, 2), change: (share) => { state.share = share; update(); } }),
  ];
  ui.card.append(
    make("p", { class: "lead" }, "Drag a number up or down, or choose it and use the arrow keys. Choose a pooling to see to whom its gradient goes."),
    make("div", { class: "stage" }, make("div", {}, patch, make("p", { class: "key" }, "below each number: its share of the gradient")), table),
    words,
    make("div", { class: "controls" }, controls.map((control) => control.element),
      button("Draw 20 times", () => draw(20)), button("Shuffle the cells", shuffle), button("All alike", () => replace(state.values.map(() => 4)))));

  function put(i, value) {
    const rounded = Math.round(clamp(value, LOW, HIGH) / STEP) * STEP;
    if (rounded === state.values[i]) return;
    state.values[i] = rounded;
    state.drawn = [];
    update();
  }

  function replace(values) {
    state.values = values;
    state.drawn = [];
    update();
  }

  function shuffle() {
    const kept = state.drawn;
    const values = [...state.values];
    for (let i = values.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [values[i], values[j]] = [values[j], values[i]];
    }
    replace(values);
    state.drawn = kept;
    update("The cells have changed places, and no answer has changed.");
  }

  function draw(times) {
    const all = state.values.reduce((a, b) => a + b, 0);
    for (let t = 0; t < times && all; t += 1) {
      let arrow = random() * all;
      state.drawn.push(state.values.find((a) => (arrow -= a) < 0) ?? Math.max(...state.values));
    }
    update();
  }

  function update(told) {
    const answers = poolings(state.values, state);
    const chosen = answers.find(({ name }) => name === state.chosen) ?? answers[0];
    cells.forEach((cell, i) => {
      const [value, slope] = [state.values[i], chosen.gradient[i]];
      set(cell, { "aria-valuenow": value, "aria-valuetext": `${number(value, 1)}, gradient ${number(slope, 2)}`, style: `--share: ${(6 + 70 * value / HIGH).toFixed(0)}%; --slope: ${clamp(Math.abs(slope), 0, 1).toFixed(3)}` });
      cell.classList.toggle("against", slope < -0.005);
      cell.firstChild.textContent = number(value, 1);
      cell.lastChild.textContent = number(slope, 2);
    });
    answers.forEach(({ name, value }, i) => {
      const row = rows[i];
      row.input.checked = name === chosen.name;
      set(row.dot, { style: `left: ${(100 * value / HIGH).toFixed(2)}%` });
      row.value.textContent = number(value, 2);
      row.label.textContent = name === "Lp" ? `L${number(state.p, 1)}` : name;
    });
    const counts = new Map();
    state.drawn.forEach((value) => counts.set(value, (counts.get(value) ?? 0) + 1));
    const most = Math.max(1, ...counts.values());
    rows.find(({ name }) => name === "stochastic").rain.replaceChildren(...[...counts].map(([value, count]) =>
      make("i", { style: `left: ${10 * value}%; height: ${(100 * count / most).toFixed(0)}%`, "data-count": count })));
    const average = state.drawn.reduce((a, b) => a + b, 0) / (state.drawn.length || 1);
    const rained = state.drawn.length ? ` ${state.drawn.length} draws so far, their mean ${number(average, 2)}; expected ${number(answers[5].value, 2)}, and the plain average is ${number(answers[0].value, 2)}.` : "";
    words.textContent = (typeof told === "string" ? told : describe(chosen)) + rained;
    ui.say(words.textContent);
  }

  function describe({ name, value, gradient }) {
    const backwards = gradient.filter((slope) => slope < -0.005).length;
    return {
      average: "The average listens to all alike: nothing is forgotten quickly, and nothing stands out.",
      max: "The maximum listens to one. The others may change as they like, and learn nothing.",
      mixed: "Mixed pooling blends the two; in a net the share is learned.",
      L2: "L2 is the root of the mean square: the gradient grows with the value.",
      Lp: "With p = 1 this is the average; the larger p, the more it is the maximum.",
      softmax: "With \u03b2 = 0 this is the average; the larger \u03b2, the more it is the maximum.",
      stochastic: "Stochastic pooling draws one value; this is what it expects to draw, and not the average.",
    }[name] + (backwards ? ` ${backwards === 1 ? "One value pulls" : `${backwards} values pull`} the answer down when raised.` : "") + ` Answer ${number(value, 2)}.`;
  }

  update();
  return { state, poolings, put, draw };
}
