/*
 * title: Convolution arithmetic
 * chapter: layers/convolution-variants
 * options: direction, n, k, s, p, d, row, column
 * alt: Two tilted planes of square cells, one floating above the other. Beams run from one cell of
 *   the small upper plane down to the nine cells of the large lower plane that it is computed from;
 *   the deeper the blue of a lower cell, the more often it is read, and a rim of padding is dashed.
 */
import { button, choice, clamp, frames, make, set, slider, still } from "./_base.js";

/** floor((n + 2p - d(k - 1) - 1) / s) + 1, and 0 where the kernel finds no place. */
export const outputSize = ({ n, k, s, p, d }) => Math.max(0, Math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1);

/** (n - 1)s - 2p + d(k - 1) + 1: the way back. */
export const transposedSize = ({ n, k, s, p, d }) => Math.max(0, (n - 1) * s - 2 * p + d * (k - 1) + 1);

/** How often each place along a padded side of `wide` is read, or written, by `count` windows. */
export function uses(wide, count, { k, s, d }) {
  const times = Array(wide).fill(0);
  for (let i = 0; i < count; i += 1) for (let m = 0; m < k; m += 1) times[i * s + m * d] += 1;
  return times;
}

const [WIDE, GAP] = [640, 170]; // the drawing's width, and how high the upper plane floats

export default function figure(ui, options) {
  const state = { direction: "forward", n: 5, k: 3, s: 2, p: 1, d: 1, row: 1, column: 1, ...options };
  const drawing = make("svg", { tabindex: 0, role: "application", "aria-label": "Two planes of cells. The arrow keys choose a cell of the upper one." });
  const [floor, beams, roof] = ["floor", "beams", "roof"].map((name) => make("g", { class: name }));
  const [lowerName, upperName] = [make("text", { class: "plane" }), make("text", { class: "plane" })];
  drawing.append(floor, beams, roof, lowerName, upperName);
  const [formula, values, words] = [make("p", { class: "formula" }), make("p", { class: "values" }), make("p", { class: "note" })];

  const back = () => state.direction === "transposed";
  /** The small plane has one cell a window; the wide plane is what the windows lie on, its padded rim included. */
  function shape() {
    const small = back() ? state.n : outputSize(state);
    const inner = back() ? transposedSize(state) : state.n;
    return { small, inner, wide: inner + 2 * state.p };
  }

  const numbers = (low, high) => Array.from({ length: high - low + 1 }, (_, i) => [low + i, String(low + i)]);
  const pick = (name, label, low, high) => choice({ label, value: state[name], options: numbers(low, high),
    change: (value) => { state[name] = value; update(); } });
  const controls = {
    direction: choice({ label: "Direction", value: state.direction, options: [["forward", "Convolution"], ["transposed", "Transposed"]],
      change: (direction) => {
        const { small, inner } = shape();
        // Turn the same picture round: what came out goes in.
        if (small && inner) state.n = clamp(direction === "transposed" ? small : inner, 1, 10);
        state.direction = direction;
        update();
      } }),
    n: slider({ label: "Input side n =", min: 1, max: 10, value: state.n, change: (n) => { state.n = n; update(); } }),
    k: pick("k", "Kernel k", 1, 5), s: pick("s", "Stride s", 1, 3), p: pick("p", "Padding p", 0, 2), d: pick("d", "Dilation d", 1, 3),
  };

  let at = 0;
  const play = still() ? button("Next window", () => walk(1)) : button("Walk over it", (on) => run(on), false);
  const run = frames(ui.card, (seconds) => {
    at += seconds * 2.5;
    if (at >= 1) { at = 0; walk(1); }
  });
  function walk(by) {
    const { small } = shape();
    if (!small) return;
    const next = (state.row * small + state.column + by) % (small * small);
    Object.assign(state, { row: Math.floor(next / small), column: next % small });
    update();
  }

  ui.card.append(
    make("p", { class: "lead" }, "Every cell of the upper plane belongs to one window of the lower. Choose a cell."),
    make("div", { class: "stage" }, drawing), formula, values, words,
    make("div", { class: "controls" }, Object.values(controls).map((control) => control.element), play));

  function update() {
    const { small, inner, wide } = shape();
    state.row = clamp(state.row, 0, Math.max(0, small - 1));
    state.column = clamp(state.column, 0, Math.max(0, small - 1));
    for (const [name, control] of Object.entries(controls)) control.value = state[name];
    draw(small, inner, wide);
    tell(small, inner, wide);
  }

  function draw(small, inner, wide) {
    const most = Math.max(small, wide, 1);
    const unit = Math.min(34, WIDE / 2 / most);
    const slope = unit * 0.5;
    const middle = Math.max(GAP + slope * small, slope * wide) + 10;
    set(drawing, { viewBox: `0 0 ${WIDE} ${Math.round(middle + slope * wide + 14)}` });
    /** The corner (row, column) of a plane of that side, `lift` above the floor. */
    const corner = (side, row, column, lift) => {
      const [i, j] = [row - side / 2, column - side / 2];
      return [WIDE / 2 + (j - i) * unit, middle + (i + j) * slope - lift];
    };
    const path = (points) => points.map((point) => point.map((value) => value.toFixed(1)).join(",")).join(" ");
    const tile = (side, row, column, lift, reach = 1) => [[0, 0], [0, reach], [reach, reach], [reach, 0]]
      .map(([i, j]) => corner(side, row + i, column + j, lift));
    const line = inner > 0 || !back() ? uses(wide, small, state) : [];
    const top = Math.max(1, ...line) ** 2;
    const under = new Set();
    for (let m = 0; m < state.k && small; m += 1) for (let n = 0; n < state.k; n += 1) {
      under.add(`${state.row * state.s + m * state.d},${state.column * state.s + n * state.d}`);
    }
    const rim = (i) => i < state.p || i >= state.p + inner;
    floor.replaceChildren(...Array.from({ length: wide * wide }, (_, cell) => {
      const [i, j] = [Math.floor(cell / wide), cell % wide];
      const times = line[i] * line[j];
      const name = `${rim(i) || rim(j) ? "rim" : "cell"}${under.has(`${i},${j}`) ? " under" : ""}${times ? "" : " unread"}`;
      return make("polygon", { points: path(tile(wide, i, j, 0)), class: name, style: `--share: ${(8 + (72 * times) / top).toFixed(0)}%`, "data-times": times });
    }));
    roof.replaceChildren(...Array.from({ length: small * small }, (_, cell) => {
      const [row, column] = [Math.floor(cell / small), cell % small];
      return make("polygon", { points: path(tile(small, row, column, GAP)), class: row === state.row && column === state.column ? "chosen" : "cell", "data-cell": cell });
    }));
    beams.replaceChildren();
    if (small) {
      const reach = state.d * (state.k - 1) + 1;
      const window = tile(wide, state.row * state.s, state.column * state.s, 0, reach);
      const cell = tile(small, state.row, state.column, GAP);
      beams.append(...[0, 1, 2, 3].map((side) => make("polygon", { class: "beam",
        points: path([cell[side], cell[(side + 1) % 4], window[(side + 1) % 4], window[side]]) })),
        make("polygon", { class: "window", points: path(window) }));
    }
    const label = (text, side, below, lift, words) => {
      const [x, y] = corner(side, below ? side : side / 2, below ? side / 2 : 0, lift);
      set(text, { x: x - 12, y: y + (below ? 20 : -4) });
      text.textContent = words;
    };
    const [lower, upper] = back() ? ["output", "input"] : ["input", "output"];
    label(lowerName, wide, true, 0, `${lower} ${inner} \u00d7 ${inner}`);
    label(upperName, small, false, GAP, small ? `${upper} ${small} \u00d7 ${small}` : "");
  }

  function tell(small, inner, wide) {
    const { n, k, s, p, d } = state;
    const bold = (value) => make("b", {}, String(value));
    if (back()) {
      formula.replaceChildren("output side = (n \u2212 1)\u00b7s \u2212 2p + d\u00b7(k \u2212 1) + 1");
      values.replaceChildren(`= (${n} \u2212 1)\u00b7${s} \u2212 2\u00b7${p} + ${d}\u00b7(${k} \u2212 1) + 1 = `, bold(inner));
    } else {
      formula.replaceChildren("output side = \u230a(n + 2p \u2212 d\u00b7(k \u2212 1) \u2212 1) / s\u230b + 1");
      values.replaceChildren(`= \u230a(${n} + 2\u00b7${p} \u2212 ${d}\u00b7(${k} \u2212 1) \u2212 1) / ${s}\u230b + 1 = `, bold(small));
    }
    if (!small || !inner) {
      words.textContent = back() ? "All that was written lies in the padding, and is cut away." : `The kernel reaches over ${d * (k - 1) + 1} cells and the padded input has ${wide}: it has no place.`;
      return ui.say(words.textContent);
    }
    const line = uses(wide, small, state).slice(p, p + inner);
    const [least, most] = [Math.min(...line) ** 2, Math.max(...line) ** 2];
    const inside = line.slice(d * (k - 1), line.length - d * (k - 1));
    const uneven = inside.length > 1 && new Set(inside).size > 1;
    const verb = back() ? "written" : "read";
    const times = (count) => (count === 1 ? "once" : `${count} times`);
    const often = least === most ? times(least) : least ? `${least} to ${most} times` : `at most ${times(most)}`;
    const left = wide - ((small - 1) * s + d * (k - 1) + 1);
    words.textContent = [`${k * k} ${k === 1 ? "weight" : "weights"}, ${(small * k) ** 2} multiply-adds. Each cell below is ${verb} ${often}.`,
      !back() && left ? `The last ${left === 1 ? "row and column are" : `${left} rows and columns are`} never reached by a window.` : "",
      least === 0 ? `Pale cells are not ${verb} at all.` : "",
      back() && uneven ? "Even in the middle the counts differ: the checkerboard of transposed convolutions." : ""].filter(Boolean).join(" ");
    ui.say(`${back() ? "Transposed. Output" : "Output"} side ${back() ? inner : small}. Cell row ${state.row}, column ${state.column}.`);
    return undefined;
  }

  const point = (event) => {
    const cell = Number(event.target.dataset?.cell ?? NaN);
    const { small } = shape();
    if (Number.isNaN(cell) || cell === state.row * small + state.column) return;
    Object.assign(state, { row: Math.floor(cell / small), column: cell % small });
    update();
  };
  drawing.addEventListener("pointermove", point); // not "enter": a cell drawn anew under a resting mouse must not count
  drawing.addEventListener("pointerdown", point);
  drawing.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    state.row += by[0];
    state.column += by[1];
    update();
  });
  update();
  return { state, shape, outputSize, transposedSize, uses };
}
