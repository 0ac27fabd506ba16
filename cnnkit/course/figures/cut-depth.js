/*
 * title: Where to cut a net that has learned something else
 * chapter: training/transfer-learning
 * options: set, seen, cut
 * alt: Eight blocks of a net from left to right, those up to a cut filled and those after it pale. Below, for each place
 *   of the cut, what share of new pictures a linear reader of the features reads right: a line for the weights
 *   learned on ImageNet, one for the same weights shuffled, and level lines for hand-made features and for raw pixels.
 */
import { choice, clamp, make, set, slider } from "./_base.js";

/** Columns of data/results/transfer-features.csv at twenty labels a class, means of five draws, in per cent. */
const SCORES = {
  "ants and bees": {
    "averages": {
      "learned": [55.4, 56.5, 65.0, 66.4, 73.7, 77.6, 79.9, 82.1],
      "shuffled": [55.8, 56.7, 54.4, 58.3, 57.6, 58.3, 55.2, 58.2],
      "random": [58.8, 56.7, 58.6, 59.1, 60.4, 54.2, 55.8, 55.0],
    },
    "places": {
      "learned": [54.5, 58.2, 66.5, 71.5, 71.6, 73.2, 72.9, 77.0],
      "shuffled": [55.2, 54.8, 59.6, 59.2, 56.3, 58.3, 52.5, 54.2],
      "random": [55.9, 58.2, 62.7, 61.0, 61.4, 56.7, 54.4, 54.2],
    },
    "hand-made": 51.9,
    "pixels": 53.2,
  },
  "signs": {
    "averages": {
      "learned": [21.8, 32.2, 49.4, 67.1, 62.8, 67.5, 60.7, 53.7],
      "shuffled": [21.7, 25.0, 24.5, 24.2, 22.5, 22.4, 19.1, 18.2],
      "random": [21.9, 24.4, 22.7, 20.6, 17.6, 16.1, 14.5, 14.8],
    },
    "places": {
      "learned": [45.4, 69.7, 78.4, 83.1, 75.4, 72.5, 60.9, 53.1],
      "shuffled": [45.1, 54.7, 50.3, 44.8, 36.9, 29.2, 20.8, 18.5],
      "random": [47.5, 48.9, 44.1, 31.8, 23.5, 18.7, 15.3, 15.1],
    },
    "hand-made": 83.2,
    "pixels": 66.8,
  },
  "digits": {
    "averages": {
      "learned": [36.3, 52.5, 57.9, 76.3, 81.6, 86.9, 79.4, 66.9],
      "shuffled": [41.6, 58.2, 49.9, 41.6, 31.3, 30.0, 26.2, 21.8],
      "random": [46.2, 59.4, 44.8, 30.9, 23.0, 18.5, 17.0, 16.7],
    },
    "places": {
      "learned": [70.7, 82.1, 87.5, 88.9, 89.1, 88.7, 83.3, 70.8],
      "shuffled": [76.2, 83.3, 78.5, 68.6, 54.5, 42.6, 29.4, 23.7],
      "random": [81.5, 85.7, 76.1, 60.9, 34.4, 25.0, 18.5, 17.6],
    },
    "hand-made": 86.5,
    "pixels": 70.8,
  },
};
const DEPTHS = [
  ["first convolution", 16], ["block 1", 48], ["block 3", 48], ["block 6", 96], ["block 10", 144],
  ["block 13", 192], ["block 16", 336], ["the end", 1280],
];
const KINDS = [
  ["learned", "learned on ImageNet", "warm"], ["shuffled", "the same, shuffled", "cool"], ["random", "never trained", "grey"],
];

/** What is read at a cut: the lead of the learned weights over the shuffled ones, and the cut with the largest score. */
export function reading(name, seen, cut) {
  const { learned, shuffled } = SCORES[name][seen];
  return { lead: learned[cut] - shuffled[cut], best: learned.indexOf(Math.max(...learned)) };
}

export default function figure(ui, options) {
  const state = { set: "signs", seen: "places", cut: 3, ...options };
  const [W, H, LEFT, RIGHT, TOP, BOTTOM] = [720, 400, 52, 14, 92, 360];
  const x = (depth) => LEFT + 34 + (depth * (W - LEFT - RIGHT - 68)) / (DEPTHS.length - 1);
  const y = (score) => BOTTOM - (score * (BOTTOM - TOP)) / 100;
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, tabindex: 0, role: "application", class: "net" });
  const blocks = DEPTHS.map(([, channels], depth) => {
    const height = 16 + 7 * Math.log2(channels / 8);
    const box = make("rect", { class: "block", x: x(depth) - 26, y: 36 - height / 2 + 6, width: 52, height, rx: 4,
      onpointerdown: () => move(depth) });
    svg.append(box);
    return box;
  });
  for (const score of [0, 25, 50, 75, 100]) svg.append(
    make("line", { class: "rule", x1: LEFT, x2: W - RIGHT, y1: y(score), y2: y(score) }),
    make("text", { class: "axis", x: LEFT - 8, y: y(score) + 5, "text-anchor": "end" }, `${score} %`));
  const cutLine = make("line", { class: "cut", y1: 8, y2: BOTTOM });
  const rivals = ["hand-made", "pixels"].map((name) => {
    const line = make("line", { class: "rival", x1: LEFT, x2: W - RIGHT });
    const label = make("text", { class: "axis", x: W - RIGHT, "text-anchor": "end" });
    svg.append(line, label);
    return { name, line, label };
  });
  const lines = KINDS.map(([key, , hue]) => {
    const path = make("polyline", { class: `score ${hue}` });
    const dots = DEPTHS.map(() => make("circle", { class: `dot ${hue}`, r: 4 }));
    svg.append(path, dots.map((dot) => dot));
    return { key, path, dots };
  });
  dotsLast(svg, lines);
  svg.append(cutLine);
  const key = make("p", { class: "key" }, KINDS.map(([, label, hue]) => make("span", { class: hue }, label)));
  const told = make("p", { class: "sum" });
  const which = choice({ label: "Pictures", value: state.set, options: Object.keys(SCORES).map((name) => [name, name]),
    change: (name) => { state.set = name; update(); } });
  const sight = choice({ label: "The reader sees", value: state.seen,
    options: [["averages", "averages over all places"], ["places", "4 × 4 places"]],
    change: (seen) => { state.seen = seen; update(); } });
  const depth = slider({ label: "Cut after", min: 0, max: DEPTHS.length - 1, value: state.cut,
    show: (cut) => DEPTHS[cut][0], change: (cut) => { state.cut = cut; update(); } });
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    move(clamp(state.cut + step, 0, DEPTHS.length - 1));
  });
  ui.card.append(
    make("p", { class: "lead" }, "Choose what is to be read, and whether the reader is told where in the picture each answer came from; move the cut: by the slider, the arrow keys, or a touch on a block."),
    make("div", { class: "controls" }, which.element, sight.element, depth.element), make("div", { class: "stage" }, svg), key, told);

  function move(cut) {
    state.cut = cut;
    depth.value = cut;
    update();
  }

  function update() {
    const scores = { ...SCORES[state.set], ...SCORES[state.set][state.seen] };
    blocks.forEach((box, place) => set(box, { class: `block${place <= state.cut ? " kept" : ""}` }));
    set(cutLine, { x1: x(state.cut), x2: x(state.cut) });
    lines.forEach((line) => {
      set(line.path, { points: scores[line.key].map((score, place) => `${x(place)},${y(score)}`).join(" ") });
      line.dots.forEach((dot, place) => set(dot, { cx: x(place), cy: y(scores[line.key][place]), r: place === state.cut ? 7 : 4 }));
    });
    const gap = Math.abs(scores["hand-made"] - scores.pixels) < 7;
    rivals.forEach(({ name, line, label }) => {
      const at = y(scores[name]);
      const under = gap && scores[name] === Math.min(scores["hand-made"], scores.pixels);
      set(line, { y1: at, y2: at });
      set(label, { y: at + (under ? 16 : -6) });
      label.textContent = name === "pixels" ? `raw pixels ${Math.round(scores.pixels)} %` : `gradients by hand ${Math.round(scores[name])} %`;
    });
    const { lead, best } = reading(state.set, state.seen, state.cut);
    const cut = DEPTHS[state.cut];
    const beaten = ["hand-made", "pixels"].filter((name) => scores.learned[state.cut] < scores[name]);
    const rival = beaten.length ? `, and less than ${beaten.map((name) => (name === "pixels" ? "raw pixels" : "gradients by hand")).join(" or ")}` : "";
    told.textContent = `${state.set}, cut after ${cut[0]} (${cut[1]} channels): learned weights read ${Math.round(scores.learned[state.cut])} %, `
      + `${Math.round(Math.abs(lead))} points ${lead < 0 ? "less" : "more"} than the same weights shuffled${rival}. `
      + `The best cut for these pictures and this reader is after ${DEPTHS[best][0]}.`;
    set(svg, { "aria-label": `${told.textContent} Arrow keys move the cut.` });
    ui.say(told.textContent);
  }

  update();
  return { state, scores: SCORES, reading };
}

/** Dots above all lines. */
function dotsLast(svg, lines) {
  for (const { dots } of lines) svg.append(...dots);
}
