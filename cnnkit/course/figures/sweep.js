/*
 * title: A sweep under a sliding window
 * chapter: origins/speech
 * options: syllable, onset, first
 * alt: Above, a spectrogram of six tenths of a second: silence, then bands that glide into a vowel, and over
 *   them a window of fifteen frames. Below, the answer of one unit to each place of the window, with one peak
 *   where its own sweep lies under it, and a square at the place where the unit was taught.
 */
import { button, choice, clamp, draggable, frames, make, number, parts, pointed, randomness, set, slider, still } from "./_base.js";

const RATE = 12000, FRAMES = 60, BANDS = 16, DELAYS = 15, TAUGHT = 30; // the frame at which the vowel set in when the unit was taught
const [WINDOW, HOP] = [256, 60];
const LENGTH = (2 * FRAMES - 1) * HOP + WINDOW;
// Formants of the vowel a, and where each stop lets the second and third begin: those of cnnkit.data.sounds.
const VOWEL = [730, 1090, 2440];
const STARTS = { ba: [220, 1045, 2295], da: [220, 1456, 2596], ga: [220, 1595, 2395] };
const GLIDE = 0.04; // seconds, slower than in speech, so that an eye can follow

/** Three sine waves that follow the formants of a syllable, as samples; its vowel sets in at a frame, over a little hiss. */
export function wave({ syllable, onset }) {
  const random = randomness(4), samples = new Float64Array(LENGTH);
  for (let n = 0; n < LENGTH; n += 1) samples[n] = 0.25 * (random() + random() + random() - 1.5);
  const first = Math.round((onset / 100) * RATE), lasts = Math.round(0.2 * RATE);
  [1, 0.7, 0.5].forEach((loud, k) => {
    let phase = 0;
    for (let n = 0; n < lasts && first + n < LENGTH; n += 1) {
      const f = VOWEL[k] + Math.exp(-n / RATE / GLIDE) * (STARTS[syllable][k] - VOWEL[k]);
      phase += (2 * Math.PI * f) / RATE;
      samples[first + n] += loud * Math.min(1, n / 90) * Math.min(1, (lasts - n) / 360) * Math.sin(phase);
    }
  });
  return samples;
}

const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
const BINS = WINDOW / 2 + 1;
const TAPER = Float64Array.from({ length: WINDOW }, (_, n) => 0.54 - 0.46 * Math.cos((2 * Math.PI * n) / (WINDOW - 1)));
const COSINE = Float64Array.from({ length: WINDOW }, (_, n) => Math.cos((2 * Math.PI * n) / WINDOW));
const SINE = Float64Array.from({ length: WINDOW }, (_, n) => Math.sin((2 * Math.PI * n) / WINDOW));
const BANK = Array.from({ length: BINS }, (_, bin) => Array.from({ length: BANDS }, (_, band) =>
  Math.max(0, 1 - Math.abs(mel((bin * RATE) / WINDOW) - (400 + 105 * (band + 1))) / 105)));

/** Log energies in sixteen mel bands, a frame every 10 ms, less their mean and at most 1: as cnnkit hears. */
export function spectrogram(samples) {
  const logs = [];
  for (let start = 0; start + WINDOW <= samples.length; start += HOP) {
    const energy = new Array(BANDS).fill(0);
    for (let bin = 0; bin < BINS; bin += 1) {
      if (!BANK[bin].some(Boolean)) continue;
      let [re, im] = [0, 0];
      for (let n = 0; n < WINDOW; n += 1) {
        const x = samples[start + n] * TAPER[n], at = (n * bin) % WINDOW;
        re += x * COSINE[at];
        im += x * SINE[at];
      }
      BANK[bin].forEach((share, band) => { energy[band] += share * (re * re + im * im); });
    }
    logs.push(energy.map((e) => Math.log(e + 1e-3)));
  }
  const rows = Array.from({ length: Math.floor(logs.length / 2) }, (_, t) => logs[2 * t].map((v, band) => (v + logs[2 * t + 1][band]) / 2));
  const mean = rows.flat().reduce((sum, v) => sum + v, 0) / (rows.length * BANDS);
  const most = Math.max(...rows.flat().map((v) => Math.abs(v - mean)));
  return rows.map((row) => row.map((v) => (v - mean) / most));
}

/** The weights of a matched filter, the newest frame first: what stood in the taught window, less its mean. */
export function matched(patch) {
  const mean = patch.flat().reduce((sum, v) => sum + v, 0) / (DELAYS * BANDS);
  const pattern = patch.map((row) => row.map((v) => v - mean));
  const size = pattern.flat().reduce((sum, v) => sum + v * v, 0);
  return pattern.map((row) => row.map((v) => v / size)).reverse();
}

/** The unit at each frame: y(t) is the sum over delays d and bands c of w(d, c) x(t - d, c), from the first full window on. */
export function answers(x, w) {
  return Array.from({ length: x.length - DELAYS + 1 }, (_, first) =>
    w.reduce((sum, row, d) => sum + row.reduce((s, v, c) => s + v * x[first + DELAYS - 1 - d][c], 0), 0));
}

export default function figure(ui, options) {
  const state = { syllable: "da", onset: 42, first: 8, played: 0, ...options };
  const own = TAUGHT - 7; // the window in which the unit was taught begins here
  const weights = matched(spectrogram(wave({ syllable: "da", onset: TAUGHT })).slice(own, own + DELAYS));
  const [W, H, LEFT, STEP, ROW] = [640, 330, 70, 9.3, 9.5];
  const TOP = 8, FOOT = TOP + BANDS * ROW, HIGH = FOOT + 22, LOW = H - 48; // the answers lie between these two
  const across = (frame) => LEFT + frame * STEP, upon = (y) => LOW - (clamp(y, -0.4, 1.1) / 1.1) * (LOW - 34 - HIGH) - 34;
  const LAST = FRAMES - DELAYS;
  const cells = Array.from({ length: FRAMES }, (_, t) => Array.from({ length: BANDS }, (_, band) =>
    make("rect", { x: across(t), y: FOOT - (band + 1) * ROW, width: STEP + 0.3, height: ROW + 0.3 })));
  const frame = make("rect", { class: "window", y: TOP, width: DELAYS * STEP, height: BANDS * ROW });
  const halo = make("rect", { class: "halo", y: TOP, width: DELAYS * STEP, height: BANDS * ROW });
  const line = make("polyline", { class: "line" });
  const dot = make("circle", { class: "dot", r: 6 }), peak = make("path", { class: "peak" });
  const fixed = make("rect", { class: "fixed", width: 11, height: 11 });
  const label = (x, y, text, extra = {}) => make("text", { x, y, ...extra }, text);
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot", "aria-hidden": "true" },
    make("g", {}, cells.flat()), halo, frame,
    make("line", { class: "grid", x1: LEFT, x2: across(FRAMES), y1: upon(0), y2: upon(0) }),
    make("line", { class: "grid", x1: LEFT, x2: across(FRAMES), y1: upon(1), y2: upon(1) }),
    label(LEFT - 8, TOP + 12, "high", { "text-anchor": "end" }), label(LEFT - 8, FOOT - 2, "low", { "text-anchor": "end" }),
    label(LEFT - 8, upon(1) + 5, "1", { "text-anchor": "end" }), label(LEFT - 8, upon(0) + 5, "0", { "text-anchor": "end" }),
    line, fixed, peak, dot,
    [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map((s) => label(across(100 * s), LOW + 22, number(s, 1), { "text-anchor": "middle" })),
    label(across(FRAMES / 2), H - 4, "seconds (an answer stands at the middle of its window)", { "text-anchor": "middle", class: "axis" }));
  const grip = make("div", { class: "grip", role: "slider", tabindex: 0, "aria-label": "The window", "aria-valuemin": 0, "aria-valuemax": LAST }, svg);
  const words = make("p", { class: "note" });
  let heard, y;

  const told = (first) => `${number((first + 7) / 100, 2)} s`; // the eighth frame is the middle one
  function place(first) {
    state.first = clamp(Math.round(first), 0, LAST);
    set(frame, { x: across(state.first) });
    set(halo, { x: across(state.first) });
    set(dot, { cx: across(state.first + DELAYS / 2), cy: upon(y[state.first]) });
    set(grip, { "aria-valuenow": state.first, "aria-valuetext": `about ${told(state.first)}: the unit answers ${number(y[state.first])}` });
  }
  function hear() {
    heard = spectrogram(wave(state));
    y = answers(heard, weights);
    const tones = ui.colour("maps").split(/\s+/).map(parts);
    cells.forEach((column, t) => column.forEach((cell, band) => {
      const at = clamp((heard[t][band] + 0.6) / 1.6, 0, 1) * (tones.length - 1), low = Math.min(Math.floor(at), tones.length - 2);
      set(cell, { fill: `rgb(${tones[low].map((v, k) => Math.round(v + (at - low) * (tones[low + 1][k] - v))).join(" ")})` });
    }));
    const best = y.indexOf(Math.max(...y));
    set(line, { points: y.map((v, first) => `${across(first + DELAYS / 2).toFixed(1)},${upon(v).toFixed(1)}`).join(" ") });
    set(peak, { d: `M ${across(best + DELAYS / 2)} ${upon(y[best]) - 9} l -7 -12 h 14 z` });
    set(fixed, { x: across(own + DELAYS / 2) - 5.5, y: upon(y[own]) - 5.5 });
    words.textContent = `\u25bc Slid over all places the unit answers ${number(y[best])} at most, ${told(best)} from the start. ` +
      `\u25a0 Left where it was taught, at ${told(own)}, it answers ${number(y[own])}.`;
    place(state.first);
    ui.say(words.textContent);
  }

  let sound = null, since = 0;
  const run = frames(ui.card, (seconds) => {
    since += seconds;
    if (since > LENGTH / RATE) run(false);
    place(since * 100 - DELAYS / 2);
  });
  /** Play the very samples that are drawn; nothing sounds before this is asked for. */
  async function play() {
    sound ??= new AudioContext();
    await sound.resume();
    const samples = wave(state), buffer = sound.createBuffer(1, LENGTH, RATE), source = sound.createBufferSource();
    buffer.copyToChannel(Float32Array.from(samples, (v) => v / 6), 0);
    source.buffer = buffer;
    source.connect(sound.destination);
    source.start();
    state.played += 1;
    since = 0;
    if (!still()) run(true);
  }

  draggable(grip, svg, (x) => { run(false); place((x * W - LEFT) / STEP - DELAYS / 2); });
  grip.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -LAST, End: LAST }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    run(false);
    place(state.first + step);
  });
  const kind = choice({ label: "Syllable", options: Object.keys(STARTS).map((name) => [name, name]), value: state.syllable,
    change: (syllable) => { state.syllable = syllable; hear(); } });
  const onset = slider({ label: "It sets in at", min: 10, max: 44, value: state.onset, show: (v) => `${number(v / 100, 2)} s`,
    change: (value) => { state.onset = value; hear(); } });
  ui.card.append(
    make("p", { class: "lead" }, "One unit with fifteen delays, a matched filter for this da, taught where it set in at 0.30 s. Move the sound, drag the window over it, and listen: what you hear is what is drawn."),
    make("div", { class: "stage" }, grip), words,
    make("div", { class: "controls" }, kind.element, onset.element, button("Hear it", play)));
  ui.onTheme(hear);
  return { state, wave, spectrogram, answers, weights, heard: () => heard, answered: () => y, pose: () => place(own + 12) };
}
