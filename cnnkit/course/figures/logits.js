/*
 * title: A logit, its target and its gradient
 * chapter: layers/heads-and-losses
 * options: logits, target, loss, classes
 * alt: Four classes, a row each: a slider for the logit, a bar for what the last function makes of it,
 *   and a bar for the gradient. The target is the 8, the network is sure of the 3: under softmax and
 *   cross-entropy the gradient of the 3 is nearly one, that of the 8 nearly minus one.
 */
import { button, choice, clamp, list, make, number, set, slider } from "./_base.js";

const [LOW, HIGH] = [-6, 6];
const LOSSES = [
  ["softmax", "softmax, cross-entropy"],
  ["sigmoids", "sigmoids, cross-entropy"],
  ["focal", "sigmoids, focal loss (\u03b3 = 2)"],
  ["scores", "no function, squared error"],
  ["squared", "softmax, squared error"],
];

/** What the last function makes of the logits, the loss summed over classes, and its gradient by each logit. */
export function told(logits, target, loss) {
  const y = logits.map((_, i) => (i === target ? 1 : 0));
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const over = (f) => logits.map((_, i) => f(i));
  const highest = Math.max(...logits);
  const total = sum(logits.map((z) => Math.exp(z - highest)));
  const soft = logits.map((z) => Math.exp(z - highest) / total);
  const sigmoid = logits.map((z) => 1 / (1 + Math.exp(-z)));
  const truth = (i) => (y[i] ? sigmoid[i] : 1 - sigmoid[i]); // what was given to what is true
  const sign = (i) => (y[i] ? 1 : -1);
  if (loss === "softmax") return { said: soft, loss: highest + Math.log(total) - logits[target], gradient: over((i) => soft[i] - y[i]) };
  if (loss === "sigmoids") return { said: sigmoid, loss: sum(over((i) => -Math.log(truth(i)))), gradient: over((i) => sigmoid[i] - y[i]) };
  if (loss === "focal") return { said: sigmoid, loss: sum(over((i) => -((1 - truth(i)) ** 2) * Math.log(truth(i)))),
    gradient: over((i) => sign(i) * (1 - truth(i)) ** 2 * (2 * truth(i) * Math.log(truth(i)) - (1 - truth(i)))) };
  if (loss === "scores") return { said: logits, loss: sum(over((i) => (logits[i] - y[i]) ** 2)), gradient: over((i) => 2 * (logits[i] - y[i])) };
  const pull = sum(over((j) => soft[j] * (soft[j] - y[j])));
  return { said: soft, loss: sum(over((i) => (soft[i] - y[i]) ** 2)), gradient: over((i) => 2 * soft[i] * (soft[i] - y[i] - pull)) };
}

export default function figure(ui, options) {
  const state = { classes: ["3", "5", "8", "9"], logits: [5, 0.5, -4, 1], target: 2, loss: "softmax", ...options };
  const start = [...state.logits];

  const rows = state.classes.map((name, i) => {
    const control = slider({ label: `${name}: logit`, min: LOW, max: HIGH, step: 0.1, value: state.logits[i], show: (v) => number(v, 1), change: (v) => { state.logits[i] = v; update(); } });
    const [said, slope] = [make("i", {}), make("i", {})];
    const [saidValue, slopeValue] = [make("output", {}), make("output", {})];
    return { control, said, slope, saidValue, slopeValue, element: make("div", { class: "row" }, control.element,
      make("span", { class: "bar" }, said), saidValue, make("span", { class: "bar" }, slope), slopeValue) };
  });
  const heading = make("span", {});
  const words = make("p", { class: "note" });
  const target = choice({ label: "Target", options: state.classes.map((name, i) => [i, name]), value: state.target, change: (i) => { state.target = i; update(); } });
  const loss = list({ label: "Last function and loss", options: LOSSES, value: state.loss, change: (name) => { state.loss = name; update(); } });
  ui.card.append(
    make("p", { class: "lead" }, "Move the logits, choose the target and the loss. A step moves each logit against its gradient."),
    make("div", { class: "stage" }, make("div", { class: "row head", "aria-hidden": "true" }, make("span", {}, "logit"), heading, make("span", {}), make("span", {}, "gradient"), make("span", {})), rows.map((row) => row.element)),
    words,
    make("div", { class: "controls" }, loss.element, target.element, button("One step", () => step(1)), button("Twenty steps", () => step(20)), button("Sure and wrong", () => put(start)), button("All zero", () => put(start.map(() => 0)))));

  function put(logits) {
    state.logits = [...logits];
    update();
  }

  function step(times) {
    for (let t = 0; t < times; t += 1) {
      const { gradient } = told(state.logits, state.target, state.loss);
      state.logits = state.logits.map((z, i) => clamp(z - 0.5 * gradient[i], LOW, HIGH));
    }
    update();
  }

  function update() {
    const { said, gradient, loss: value } = told(state.logits, state.target, state.loss);
    const raw = state.loss === "scores";
    const reach = raw ? HIGH : 1;
    const steep = raw ? 2 * HIGH + 2 : 1.25;
    heading.textContent = raw ? "score" : "probability p";
    rows.forEach((row, i) => {
      row.control.value = state.logits[i];
      row.element.classList.toggle("true", i === state.target);
      bar(row.said, raw ? said[i] / reach : 2 * said[i] - 1, !raw);
      bar(row.slope, gradient[i] / steep, false);
      row.slope.classList.toggle("up", gradient[i] < 0);
      row.saidValue.textContent = number(said[i], 3);
      row.slopeValue.textContent = number(gradient[i], 3);
      set(row.saidValue, { "aria-label": `${state.classes[i]} ${raw ? "score" : "probability"} ${number(said[i], 3)}` });
      set(row.slopeValue, { "aria-label": `${state.classes[i]} gradient ${number(gradient[i], 3)}` });
    });
    const largest = Math.max(...gradient.map(Math.abs));
    const best = state.logits.indexOf(Math.max(...state.logits));
    const right = best === state.target;
    words.textContent = `Loss ${number(value, 3)}. The network says ${state.classes[best]}, the target is ${state.classes[state.target]}. ` +
      (right ? `Largest gradient ${number(largest, 3)}.` : largest < 0.05
        ? `It is wrong, and hardly told so: no gradient is larger than ${number(largest, 3)}.`
        : `It is wrong, and told so: the largest gradient is ${number(largest, 3)}.`);
    ui.say(words.textContent);
  }

  /** A bar from the left edge (`whole`) or from the middle, to a place from -1 to 1. */
  function bar(element, place, whole) {
    const to = 50 + 50 * clamp(place, -1, 1);
    const from = whole ? 0 : 50;
    set(element, { style: `left: ${Math.min(from, to).toFixed(2)}%; width: ${Math.abs(to - from).toFixed(2)}%` });
  }

  update();
  return { state, told, put, step };
}
