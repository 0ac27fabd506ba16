/*
 * title: A row that walks
 * chapter: layers/invariance
 * options: values, shift
 * alt: A row of sixteen pixels with a bar and a dot, and below it four maps of it: every pixel, every second
 *   pixel, the larger of two, and a blurred row of which every second pixel is kept. Beside each map a line shows its average at
 *   each of sixteen shifts: level for every pixel and for the blur, up and down for the other two.
 */
import { button, draggable, make, number, randomness, set, slider } from "./_base.js";

const PIXELS = 16;
const [WIDTH, NAME, STRIP, ROW, PLOT] = [580, 138, 256, 46, 150];
const KINDS = ["every pixel", "every second", "larger of two", "blur, every second"];

/** The row moved to the right by so many pixels, round the circle. */
export const moved = (values, shift) => values.map((_, i) => values[(((i - shift) % values.length) + values.length) % values.length]);

/** The four maps of a row on a circle. */
export function maps(values) {
  const n = values.length;
  const at = (i) => values[(i + n) % n];
  const half = Array.from({ length: n / 2 }, (_, i) => 2 * i);
  return [
    [...values],
    half.map((i) => at(i)),
    half.map((i) => Math.max(at(i), at(i + 1))),
    half.map((i) => (at(i - 1) + 2 * at(i) + at(i + 1)) / 4),
  ];
}

/** The average of each map at each shift of the row. */
export function averages(values) {
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const all = values.map((_, shift) => maps(moved(values, shift)).map(mean));
  return KINDS.map((_, kind) => all.map((each) => each[kind]));
}

export default function figure(ui, options) {
  const bar = Array.from({ length: PIXELS }, (_, i) => ([6, 7, 9].includes(i) ? 1 : 0));
  const state = { values: bar, shift: 0, ...options };
  const chance = randomness(5);
  const picture = make("svg", { role: "img", "aria-label": "The row, its four maps, and their averages at every shift", viewBox: `0 0 ${WIDTH} ${ROW * 5 + 26}` });
  const words = make("p", { class: "note" });
  const walk = slider({ label: "Pixels to the right", min: 0, max: PIXELS - 1, value: state.shift, change: (shift) => { state.shift = shift; update(); } });
  const show = (values) => { state.values = values; update(); };
  ui.card.append(
    make("p", { class: "lead" }, "Move the row, by the slider or by dragging it. What does an average over each map notice?"),
    make("div", { class: "stage" }, picture), words,
    make("div", { class: "controls" }, walk.element,
      button("Bar and dot", () => show(bar)),
      button("Stripes", () => show(bar.map((_, i) => (i % 2 ? 0 : 1)))),
      button("Wider stripes", () => show(bar.map((_, i) => (i % 4 < 2 ? 1 : 0)))),
      button("By chance", () => show(bar.map(() => Math.round(10 * chance()) / 10)))));
  let [from, began] = [0, 0];
  draggable(picture, picture, (x) => {
    const steps = Math.round(((x - began) * WIDTH) / (STRIP / PIXELS));
    const shift = (((from + steps) % PIXELS) + PIXELS) % PIXELS;
    if (shift === state.shift) return;
    state.shift = walk.value = shift;
    update();
  }, (x) => { from = state.shift; began = x; });

  function strip(values, y, name) {
    const step = STRIP / values.length;
    return [make("text", { x: 0, y: y + 19 }, name), ...values.map((value, i) =>
      make("rect", { x: NAME + i * step + 1, y, width: step - 2, height: 28, rx: 3, class: "pixel", "fill-opacity": (0.06 + 0.94 * value).toFixed(3) }))];
  }

  function plot(line, y, top) {
    const place = (shift, value) => [NAME + STRIP + 24 + (shift * PLOT) / (PIXELS - 1), y + 28 - (26 * value) / top];
    const [x0, y0] = place(0, 0);
    const [x1, y1] = place(state.shift, line[state.shift]);
    return [make("line", { x1: x0, x2: x0 + PLOT, y1: y0, y2: y0, class: "axis" }),
      make("polyline", { points: line.map((value, shift) => place(shift, value).map((p) => p.toFixed(1)).join(",")).join(" "), class: "line" }),
      make("circle", { cx: x1, cy: y1, r: 4.5, class: "dot" })];
  }

  function update() {
    const shown = moved(state.values, state.shift);
    const lines = averages(state.values);
    const top = Math.max(1e-9, ...lines.flat());
    picture.replaceChildren(
      ...strip(shown, 20, "the row"), make("text", { x: NAME + STRIP + 24, y: 12 }, "average at each shift"),
      ...maps(shown).flatMap((map, kind) => {
        const y = 20 + ROW * (kind + 1);
        return [...strip(map, y, KINDS[kind]), ...plot(lines[kind], y, top)];
      }));
    const swing = lines.map((line) => Math.max(...line) - Math.min(...line));
    const here = lines.map((line) => line[state.shift]);
    words.textContent = `Averages now: ${KINDS.map((kind, i) => `${kind} ${number(here[i], 2)}`).join("; ")}. ` +
      `Over all shifts the average of every second pixel swings by ${number(swing[1], 2)}, that of the larger of two by ${number(swing[2], 2)}, that behind the blur by ${number(swing[3], 2)}.`;
    ui.say(words.textContent);
  }

  update();
  return { state, moved, maps, averages, pose() { state.shift = walk.value = 3; update(); } };
}
