/*
 * title: One step of backpropagation through a 3 x 3 kernel
 * chapter: origins/learned-kernels
 * options: image, kernel, target, rate, board, row, column
 * alt: Boards of numbers in two rows. Above, the way forward: an image of five by five, a kernel of three by three, the map
 *   that they make, and the map that was wanted. Below, the way back: the error of each place of the map, the gradient of the
 *   kernel and the gradient of the image. One weight's gradient is chosen: the nine pixels that the weight met and the nine
 *   errors are marked, and the sum of their nine products is spelt out.
 */
import { button, clamp, make, number, set, slider } from "./_base.js";

const grid = (rows, columns, entry) => Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => entry(i, j)));
const total = (terms) => terms.reduce((sum, [a, b]) => sum + a.value * b.value, 0);

/** Slide b over a, multiply and sum: the way forward, and the way back to the kernel. */
export function correlate(a, b) {
  return grid(a.length - b.length + 1, a[0].length - b[0].length + 1, (i, j) =>
    b.flatMap((line, m) => line.map((weight, n) => weight * a[i + m][j + n])).reduce((x, y) => x + y, 0));
}

/** Each error puts the kernel, times itself, back into the window that it came from: the way back to the image. */
export function spread(error, w) {
  const out = grid(error.length + w.length - 1, error[0].length + w[0].length - 1, () => 0);
  error.forEach((line, i) => line.forEach((e, j) => w.forEach((row, m) => row.forEach((weight, n) => { out[i + m][j + n] += e * weight; }))));
  return out;
}

/** All that one step computes: the map, half its squared distance from the target, the error, and both gradients. */
export function backward(image, kernel, target) {
  const map = correlate(image, kernel);
  const error = map.map((line, i) => line.map((value, j) => value - target[i][j]));
  return { image, kernel, map, target, error, toKernel: correlate(image, error), toImage: spread(error, kernel),
    loss: error.flat().reduce((sum, e) => sum + (e * e) / 2, 0) };
}

/** The pairs of numbers whose products add up to a cell; of the error, the two whose difference it is. */
export function terms(told, board, row, column) {
  const cell = (name, i, j) => ({ board: name, row: i, column: j, value: told[name][i][j] });
  const each = (matrix, pair) => matrix.flatMap((line, i) => line.map((_, j) => pair(i, j))).filter(Boolean);
  if (board === "map") return each(told.kernel, (m, n) => [cell("image", row + m, column + n), cell("kernel", m, n)]);
  if (board === "toKernel") return each(told.error, (i, j) => [cell("image", row + i, column + j), cell("error", i, j)]);
  if (board === "toImage") return each(told.error, (i, j) => told.kernel[row - i]?.[column - j] !== undefined && [cell("error", i, j), cell("kernel", row - i, column - j)]);
  return [[cell("map", row, column), cell("target", row, column)]];
}

const IMAGE = [[0, 1, 2, 0, 0], [0, 2, 1, 0, 1], [1, 2, 0, 0, 2], [0, 1, 1, 2, 1], [0, 0, 2, 1, 0]];
const WANTED = [[0, 1, 0], [0, 1, 0], [0, 1, 0]]; // the kernel that made the target: a stroke that stands
const BOARDS = [
  ["image", "image x"], ["kernel", "kernel w"], ["map", "map y"], ["target", "wanted t"],
  ["toImage", "gradient of the image"], ["toKernel", "gradient of the kernel"], ["error", "error \u03b4 = y \u2212 t"],
];
/** A number that was given is traced by what it leads to. */
const TRACED = { image: "toImage", kernel: "toKernel", target: "error" };
const SYMBOL = { map: "y", error: "\u03b4", toKernel: "\u2202L/\u2202w", toImage: "\u2202L/\u2202x" };

export default function figure(ui, options) {
  const state = { image: IMAGE, kernel: [[0, 0, 1], [0, 0, 1], [0, 0, 1]], rate: 0.01, board: "toKernel", row: 0, column: 1, steps: 0, ...options };
  state.target ??= correlate(state.image, WANTED);
  const start = state.kernel;

  const boards = Object.fromEntries(BOARDS.map(([name, label]) => {
    const sides = backward(state.image, state.kernel, state.target)[name];
    const cells = sides.map((line) => line.map(() => make("span", { class: "cell" })));
    const element = make("div", { class: "numbers", role: "application", tabindex: 0, "aria-label": `${label}. The arrow keys choose a number.`, style: `--columns: ${sides[0].length}` }, cells.flat());
    cells.forEach((line, i) => line.forEach((cell, j) => ["pointerenter", "pointerdown"].forEach((kind) => cell.addEventListener(kind, () => choose(name, i, j)))));
    element.addEventListener("focus", () => { if (state.shown !== name) choose(name, 0, 0); });
    element.addEventListener("keydown", (event) => {
      const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
      if (!down && !right) return;
      event.preventDefault();
      choose(name, clamp(state.row + down, 0, cells.length - 1), clamp(state.column + right, 0, cells[0].length - 1));
    });
    return [name, { cells, element: make("div", { class: `board ${name}` }, make("p", { class: "caption" }, label), element) }];
  }));
  const sum = make("p", { class: "sum" });
  const words = make("p", { class: "note" });
  const rate = slider({ label: "Rate", min: 0.002, max: 0.05, step: 0.002, value: state.rate, show: (v) => number(v, 3), change: (v) => { state.rate = v; update(); } });
  const way = (label, names) => make("div", { class: "way" }, make("p", { class: "side" }, label), names.map((name) => boards[name].element));
  ui.card.append(
    make("p", { class: "lead" }, "Point at a number to see which numbers it was made of; then take a step."),
    make("div", { class: "stage" }, way("forward", ["image", "kernel", "map", "target"]), way("back", ["toImage", "toKernel", "error"]), sum),
    make("div", { class: "controls" }, button("One step", () => step(1)), button("Twenty steps", () => step(20)), button("Start again", () => { Object.assign(state, { kernel: start, steps: 0 }); update(); }), rate.element),
    words);

  function choose(board, row, column) {
    Object.assign(state, { shown: board, board: TRACED[board] ?? board, row, column });
    update();
  }

  function step(times) {
    for (let t = 0; t < times; t += 1) {
      const { toKernel } = backward(state.image, state.kernel, state.target);
      state.kernel = state.kernel.map((line, m) => line.map((weight, n) => clamp(weight - state.rate * toKernel[m][n], -99, 99)));
      state.steps += 1;
    }
    update();
  }

  function update() {
    const told = backward(state.image, state.kernel, state.target);
    const pairs = terms(told, state.board, state.row, state.column);
    for (const [name, { cells }] of Object.entries(boards)) {
      cells.forEach((line, i) => line.forEach((cell, j) => {
        cell.textContent = number(told[name][i][j], 1);
        const here = (end) => pairs.some((pair) => pair[end].board === name && pair[end].row === i && pair[end].column === j);
        const chosen = name === state.board && i === state.row && j === state.column;
        cell.className = `cell${here(0) ? " first" : ""}${here(1) ? " second" : ""}${chosen ? " chosen" : ""}`;
      }));
    }
    const bracket = (value) => (value < 0 ? `(${number(value)})` : number(value));
    const difference = state.board === "error";
    const value = told[state.board][state.row][state.column];
    const spelt = difference ? `${number(pairs[0][0].value)} \u2212 ${bracket(pairs[0][1].value)}` : pairs.map(([a, b]) => `${bracket(a.value)}\u00b7${bracket(b.value)}`).join(" + ");
    const place = `${SYMBOL[state.board]}[${state.row}, ${state.column}]`;
    sum.textContent = `${place} = ${spelt} = ${number(difference ? value : total(pairs))}`;
    const moved = state.board === "toKernel"
      ? ` A step makes this weight ${number(told.kernel[state.row][state.column], 2)} \u2212 ${number(state.rate, 3)}\u00b7${bracket(value)} = ${number(told.kernel[state.row][state.column] - state.rate * value, 2)}.` : "";
    words.textContent = `Loss \u00bd\u2211\u03b4\u00b2 = ${number(told.loss)} after ${state.steps} ${state.steps === 1 ? "step" : "steps"}.${moved}`;
    set(sum, { "aria-live": "off" });
    ui.say(`${sum.textContent}. ${words.textContent}`);
  }

  update();
  return { state, backward, terms, step, choose };
}
