/*
 * title: Five rules in a ravine
 * chapter: training/optimization
 * options: length, angle, factor
 * alt: A long, narrow ravine seen from above, drawn as nested ellipses, which can be turned and stretched. From one point high on
 *   its side five paths lead to the middle, those of gradient descent, momentum, Nesterov's momentum, RMSprop and Adam, each at
 *   its own best rate or a multiple of it. A table tells how many steps each takes.
 */
import { button, clamp, draggable, frames, make, number, set, slider, still } from "./_base.js";

const [SIZE, REACH, MOST] = [520, 1.7, 1500];
const [BETA, SECOND, RHO, EPSILON, GOAL] = [0.9, 0.999, 0.9, 1e-7, 0.01];
const START = [1.35, 0.35]; // along the ravine, and up its side
const RATES = Array.from({ length: 41 }, (_, i) => 10 ** (-5 + i / 7));

/** The five rules as in cnnkit.scratch.optimizers: each keeps its memory, and gives the change of one number. */
export const RULES = {
  "gradient descent": () => (g, rate) => -rate * g,
  momentum: () => { let v = 0; return (g, rate) => (v = BETA * v - rate * g); },
  Nesterov: () => { let v = 0; return (g, rate) => BETA * (v = BETA * v - rate * g) - rate * g; },
  RMSprop: () => { let s = 0; return (g, rate) => { s = RHO * s + (1 - RHO) * g * g; return (-rate * g) / Math.sqrt(s + EPSILON); }; },
  Adam: () => {
    let [m, s, t] = [0, 0, 0];
    return (g, rate) => {
      t += 1;
      m = BETA * m + (1 - BETA) * g;
      s = SECOND * s + (1 - SECOND) * g * g;
      return ((-rate * Math.sqrt(1 - SECOND ** t)) / (1 - BETA ** t)) * (m / (Math.sqrt(s) + EPSILON));
    };
  },
};
const COLOURS = { "gradient descent": "blue", momentum: "orange", Nesterov: "red", RMSprop: "purple", Adam: "green" };

/** The places that a rule visits, from the start on, until it explodes. */
export function walk(rule, rate, length, angle, steps = MOST) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const [xx, xy, yy] = [c * c + length * s * s, c * s * (1 - length), s * s + length * c * c];
  let [x, y] = [c * START[0] - s * START[1], s * START[0] + c * START[1]];
  const moves = [RULES[rule](), RULES[rule]()];
  const path = [[x, y]];
  for (let step = 0; step < steps; step += 1) {
    const slope = [xx * x + xy * y, xy * x + yy * y];
    x += moves[0](slope[0], rate);
    y += moves[1](slope[1], rate);
    if (!(Math.hypot(x, y) < 1e3)) break;
    path.push([x, y]);
  }
  return path;
}

/** After how many steps a path is within a hundredth of its first distance, and stays there; Infinity when it never is. */
export function arrives(path, steps = MOST) {
  if (path.length <= steps) return Infinity;
  const near = GOAL * Math.hypot(...START);
  let last = path.length - 1;
  while (last >= 0 && Math.hypot(...path[last]) <= near) last -= 1;
  return last === path.length - 1 ? Infinity : last + 1;
}

/** The rate, of 41, at which a rule arrives first; where none does, that which ends nearest. */
export function bestRate(rule, length, angle) {
  let [best, found] = [[Infinity, Infinity], RATES[0]];
  for (const rate of RATES) {
    const path = walk(rule, rate, length, angle);
    const far = path.length > MOST ? Math.hypot(...path.at(-1)) : Infinity;
    const score = [arrives(path), far];
    if (score[0] < best[0] || (score[0] === best[0] && score[1] < best[1])) [best, found] = [score, rate];
  }
  return found;
}

export default function figure(ui, options) {
  const state = { length: 100, angle: 0, factor: 1, step: MOST, ...options };
  const middle = SIZE / 2;
  const at = ([x, y]) => [middle + (x * middle) / REACH, middle - (y * middle) / REACH];
  const svg = make("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", class: "valley" });
  const clip = make("clipPath", { id: "valley-edge" }, make("rect", { width: SIZE, height: SIZE }));
  const rings = make("g", { class: "rings" });
  const inside = make("g", { "clip-path": "url(#valley-edge)" }, rings);
  svg.append(make("defs", {}, clip), inside);
  const rules = Object.keys(RULES).map((rule) => {
    const line = make("path", { class: "trace", stroke: `var(--${COLOURS[rule]})` });
    const ball = make("circle", { class: "ball", r: 7, fill: `var(--${COLOURS[rule]})` });
    const cells = [make("td"), make("td")];
    const row = make("tr", {}, make("th", { scope: "row" }, make("span", { class: "dot", style: `background: var(--${COLOURS[rule]})` }), rule), cells);
    inside.append(line, ball);
    return { rule, line, ball, cells, row, path: [], rate: 0, best: 0 };
  });
  const handle = make("circle", { class: "turn", r: 11 });
  svg.append(handle);
  const table = make("table", {}, make("thead", {}, make("tr", {}, ["rule", "rate", "steps"].map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, rules.map(({ row }) => row)));
  const words = make("p", { class: "note" });
  const degrees = () => Math.round((state.angle * 180) / Math.PI);
  const turn = slider({ label: "Turned by", min: 0, max: 90, value: degrees(), show: (value) => `${value}°`,
    change: (value) => { state.angle = (value * Math.PI) / 180; tune(); } });
  const stretch = slider({ label: "Steeper across than along:", min: 0, max: 10, value: Math.round(4 * Math.log10(state.length)),
    show: (value) => `${number(10 ** (value / 4), 0)} times`, change: (value) => { state.length = 10 ** (value / 4); tune(); } });
  const faster = slider({ label: "Rate:", min: -8, max: 8, value: Math.round(4 * Math.log2(state.factor)),
    show: (value) => (value ? `${number(2 ** (value / 4))} × each rule's best` : "each rule's best"),
    change: (value) => { state.factor = 2 ** (value / 4); update(); } });
  const run = frames(svg, (seconds) => {
    state.step = Math.min(MOST, state.step + Math.max(seconds * (12 + state.step / 2), 0));
    if (state.step >= MOST) run(false);
    paint();
  });
  const go = button("Let them run", () => {
    if (still()) return;
    state.step = 0;
    run(true);
  });
  draggable(handle, svg, (x, y) => {
    const angle = Math.atan2(0.5 - y, x - 0.5);
    state.angle = (clamp(Math.round((angle * 180) / Math.PI), 0, 90) * Math.PI) / 180;
    turn.value = degrees();
    tune();
  });
  ui.card.append(
    make("p", { class: "lead" }, "Turn the ravine, by its handle or by the slider. Which rules notice?"),
    make("div", { class: "beside" }, make("div", { class: "stage" }, svg), make("div", {}, table, words)),
    make("div", { class: "controls" }, turn.element, stretch.element, faster.element, go));

  /** A new ravine: each rule looks for its best rate again. */
  function tune() {
    for (const each of rules) each.best = bestRate(each.rule, state.length, state.angle);
    update();
  }

  function update() {
    run(false);
    state.step = MOST;
    for (const each of rules) {
      each.rate = each.best * state.factor;
      each.path = walk(each.rule, each.rate, state.length, state.angle);
      each.steps = arrives(each.path);
      each.cells[0].textContent = number(each.rate, each.rate < 0.01 ? 4 : 3);
      each.cells[1].textContent = each.path.length <= MOST ? "flies off" : Number.isFinite(each.steps) ? String(each.steps) : `over ${MOST}`;
    }
    rings.replaceChildren(...[0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1].map((reach) => make("circle", { r: (reach * middle) / REACH,
      transform: `translate(${middle} ${middle}) rotate(${-degrees()}) scale(1 ${1 / Math.sqrt(state.length)})` })));
    const [hx, hy] = at([1.55 * Math.cos(state.angle), 1.55 * Math.sin(state.angle)]);
    set(handle, { cx: hx, cy: hy });
    const told = rules.map(({ rule, cells }) => `${rule} ${cells[1].textContent}`).join(", ");
    words.textContent = `Steps until a hundredth of the distance is left. Turned by ${degrees()}°, ${number(state.length, 0)} times as steep across.`;
    set(svg, { "aria-label": `${words.textContent} ${told}.` });
    ui.say(`${words.textContent} ${told}.`);
    paint();
  }

  function paint() {
    for (const { line, ball, path } of rules) {
      const shown = path.slice(0, Math.floor(state.step) + 1);
      set(line, { d: `M${shown.map((place) => at(place).map((value) => value.toFixed(1)).join(",")).join("L")}` });
      const [cx, cy] = at(shown.at(-1));
      set(ball, { cx, cy });
    }
  }

  tune();
  const pose = () => { // for the still picture: on the way, in a ravine that lies across the axes
    state.angle = Math.PI / 6;
    turn.value = degrees();
    tune();
    state.step = 60;
    paint();
  };
  return { state, rules, walk, arrives, bestRate, pose, RULES: Object.keys(RULES) };
}
