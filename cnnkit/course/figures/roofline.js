/*
 * title: A layer under the roof
 * chapter: training/hardware
 * options: kind, k, channels, images, peak, bandwidth
 * alt: A roof on two logarithmic axes, multiply-adds a second against multiply-adds for each byte moved: a slope, a ridge, and a
 *   flat part. A large dot on the roof is the chosen layer, small dots the same layer with other kernels. A full convolution stands on
 *   the flat part, a depthwise one on the slope.
 */
import { button, choice, clamp, draggable, make, number, set, slider } from "./_base.js";

const SIDE = 32; // of the maps, in and out
const KERNELS = [1, 3, 5, 7, 9, 11, 13, 15];
const KINDS = { full: "convolution", depthwise: "depthwise", dense: "dense" };
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [580, 330, 62, 46, 14];
const [LOW, HIGH, SLOW, FAST] = [0.05, 1000, 0.2, 1000]; // multiply-adds a byte, and billions of them a second

/** Multiply-adds and bytes of one layer in float32, without a bias, on a batch of images. */
export function cost({ kind, k, channels, images }) {
  if (kind === "dense") return { work: images * channels ** 2, moved: 4 * (2 * images * channels + channels ** 2) };
  const places = images * SIDE ** 2 * channels;
  const weights = k * k * channels * (kind === "full" ? channels : 1);
  return { work: places * k * k * (kind === "full" ? channels : 1), moved: 4 * (2 * places + weights) };
}

/** Where a layer stands under a roof (billions a second): intensity, billions of multiply-adds a second, milliseconds, what binds it. */
export function under({ peak, bandwidth }, { work, moved }) {
  const seconds = Math.max(work / (1e9 * peak), moved / (1e9 * bandwidth));
  return { intensity: work / moved, rate: work / seconds / 1e9, ms: 1e3 * seconds, bound: work / peak > moved / bandwidth ? "arithmetic" : "memory" };
}

const log = (value, low, high) => Math.log(value / low) / Math.log(high / low);
const across = (intensity) => LEFT + (WIDTH - LEFT - 8) * log(clamp(intensity, LOW, HIGH), LOW, HIGH);
const up = (rate) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * log(clamp(rate, SLOW, FAST), SLOW, FAST);
const back = (share, low, high) => low * (high / low) ** share;

/** A large number in words. */
const said = (value) => (value >= 1e9 ? `${number(value / 1e9, 2)} billion` : value >= 1e6 ? `${number(value / 1e6, 1)} million` : number(Math.round(value), 0));
const time = (ms) => (ms >= 0.1 ? `${number(ms, 2)} ms` : `${number(1e3 * ms, 2)} µs`);

export default function figure(ui, options) {
  const state = { kind: "full", k: 3, channels: 64, images: 8, peak: 50, bandwidth: 10, ...options };
  const picture = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "roof" });
  const scale = make("g", {}), dots = make("g", {});
  const roof = make("polyline", { class: "line" });
  const ridge = make("circle", { r: 9, class: "ridge" });
  picture.append(scale, roof, dots, ridge);
  for (const x of [0.1, 1, 10, 100, 1000]) scale.append(
    make("line", { x1: across(x), x2: across(x), y1: TOP, y2: HEIGHT - BOTTOM, class: "grid" }),
    make("text", { x: across(x), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, String(x)));
  for (const y of [1, 10, 100, 1000]) scale.append(
    make("line", { x1: LEFT, x2: WIDTH - 8, y1: up(y), y2: up(y), class: "grid" }),
    make("text", { x: LEFT - 7, y: up(y) + 5, "text-anchor": "end" }, String(y)));
  scale.append(make("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, "text-anchor": "middle", class: "axis" }, "multiply-adds for each byte moved"),
    make("text", { x: 14, y: HEIGHT / 2 - 16, "text-anchor": "middle", class: "axis", transform: `rotate(-90 14 ${HEIGHT / 2 - 16})` }, "billion multiply-adds a second"));
  const words = make("p", { class: "sum" });
  const power = (label, key, most) => slider({ label, min: 0, max: most, value: Math.log2(state[key]), show: (v) => String(2 ** v), change: (v) => { state[key] = 2 ** v; update(); } });
  const level = (label, key, low, high, unit) => slider({ label, min: 0, max: 60, value: Math.round(60 * log(state[key], low, high)),
    show: (v) => `${number(back(v / 60, low, high), 1)} ${unit}`, change: (v) => { state[key] = back(v / 60, low, high); update(); } });
  const kind = choice({ label: "Layer", value: state.kind, options: Object.entries(KINDS), change: (value) => { state.kind = value; update(); } });
  const kernel = slider({ label: "Side of the kernel", min: 1, max: 15, step: 2, value: state.k, change: (k) => { state.k = k; update(); } });
  const peak = level("Peak", "peak", 1, 1000, "billion a second");
  const bandwidth = level("Bandwidth", "bandwidth", 1, 1000, "GB a second");
  ui.card.append(
    make("p", { class: "lead" }, "Choose a layer on maps of 32 × 32, and see where it stands. Drag the ridge to have another machine."),
    make("div", { class: "controls" }, kind.element, kernel.element, power("Channels", "channels", 10).element, power("Images", "images", 10).element),
    make("div", { class: "stage" }, picture), words,
    make("div", { class: "controls" }, peak.element, bandwidth.element, button("The first machine", () => move(50, 10))));
  const move = (power, width) => {
    [state.peak, state.bandwidth] = [clamp(power, 1, 1000), clamp(width, 1, 1000)];
    for (const [control, key] of [[peak, "peak"], [bandwidth, "bandwidth"]]) control.value = 60 * log(state[key], 1, 1000);
    update();
  };
  draggable(ridge, picture, (x, y) => {
    const intensity = back(clamp((x * WIDTH - LEFT) / (WIDTH - LEFT - 8), 0, 1), LOW, HIGH);
    const top = back(clamp((HEIGHT - BOTTOM - y * HEIGHT) / (HEIGHT - BOTTOM - TOP), 0, 1), SLOW, FAST);
    move(top, top / intensity);
  });

  function update() {
    const { work, moved } = cost(state);
    const here = under(state, { work, moved });
    const start = Math.max(LOW, SLOW / state.bandwidth), bend = state.peak / state.bandwidth;
    const corners = [[start, state.bandwidth * start], [bend, state.peak], [HIGH, state.peak]];
    set(roof, { points: corners.map(([x, y]) => `${across(x).toFixed(1)},${up(y).toFixed(1)}`).join(" ") });
    set(ridge, { cx: across(bend), cy: up(state.peak) });
    const others = state.kind === "dense" ? [] : KERNELS.filter((k) => k !== state.k);
    dots.replaceChildren(...others.map((k) => {
      const there = under(state, cost({ ...state, k }));
      return make("circle", { cx: across(there.intensity), cy: up(there.rate), r: 3.5, class: "other" });
    }), make("circle", { cx: across(here.intensity), cy: up(here.rate), r: 8, class: here.bound === "memory" ? "dot waits" : "dot" }));
    kernel.input.disabled = state.kind === "dense";
    words.textContent = `${said(work)} multiply-adds and ${said(moved)} bytes: ${number(here.intensity, 2)} a byte, the ridge is at ${number(bend, 2)}. `
      + `Bound by ${here.bound}; at least ${time(here.ms)}, at ${number((100 * here.rate) / state.peak, 0)} % of the peak.`;
    set(picture, { "aria-label": `The roof and the layer. ${words.textContent}` });
    ui.say(words.textContent);
  }

  update();
  return { state, cost, under, pose() { state.kind = kind.value = "depthwise"; update(); } };
}
