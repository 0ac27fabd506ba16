/*
 * title: The kernel playground
 * chapter: layers/convolution
 * options: view, pattern, preset, size, kernel, divisor, stride, padding, dilation
 * alt: Three panels side by side: a grey photograph of a cat's face, an editable three by three
 *   kernel of numbers, and the picture that the kernel makes of the photograph. A square on the
 *   input marks the pixels that one pixel of the output was computed from, and the sum is spelt out.
 */
import { button, choice, clamp, draggable, frames, list, make, number, parts, randomness, set, still } from "./_base.js";

/** Cross-correlate a matrix with a square kernel: the same numbers as cnnkit.scratch.convolve2d. */
export function convolve(x, w, { stride = 1, padding = 0, dilation = 1 } = {}) {
  const size = (n) => outputSize(n, w.length, stride, padding, dilation);
  return Array.from({ length: size(x.length) }, (_, i) =>
    Array.from({ length: size(x[0].length) }, (_, j) =>
      taps(x, w, i, j, { stride, padding, dilation }).reduce((sum, tap) => sum + tap.weight * tap.value, 0)));
}

/** floor((n + 2p - d(k - 1) - 1) / s) + 1, and 0 where the kernel finds no place. */
export function outputSize(n, k, s, p, d) {
  return Math.max(0, Math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1);
}

/** The weights that one output is made with, and the pixels under them; outside the image lie zeros. */
function taps(x, w, i, j, { stride, padding, dilation }) {
  return w.flatMap((line, m) => line.map((weight, n) => {
    const [row, column] = [i * stride + m * dilation - padding, j * stride + n * dilation - padding];
    return { weight, row, column, value: x[row]?.[column] ?? 0 };
  }));
}

const fill = (k, entry) => Array.from({ length: k }, (_, i) => Array.from({ length: k }, (_, j) => entry(i, j, (k - 1) / 2)));
const turn = (w) => w[0].map((_, j) => w.map((line) => line[j]));
const sobel = { 3: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 5: [1, 4, 6, 4, 1].map((a) => [-1, -2, 0, 2, 1].map((b) => a * b)) };
const diamond = (k, centre) => fill(k, (i, j, c) => {
  const far = Math.abs(i - c) + Math.abs(j - c);
  if (!far) return centre;
  return k === 3 ? -Number(far === 1) : [0, -2, -1][far] ?? 0;
});

/** The kernels that one may start from, for a given side. */
const PRESETS = {
  identity: ["Identity", (k) => fill(k, (i, j, c) => Number(i === c && j === c))],
  blur: ["Blur", (k) => fill(k, () => 1), (k) => k * k],
  sharpen: ["Sharpen", (k) => diamond(k, k === 3 ? 5 : 17)],
  outline: ["All edges", (k) => (k === 3 ? fill(3, (i, j) => (i === 1 && j === 1 ? 8 : -1)) : diamond(5, 16))],
  vertical: ["Upright edges", (k) => sobel[k]],
  horizontal: ["Level edges", (k) => turn(sobel[k])],
  emboss: ["Emboss", (k) => fill(k, (i, j, c) => (i === c && j === c ? 1 : clamp(i + j - 2 * c, -2, 2)))],
};

const random = randomness(7);
const PATTERNS = {
  digit: ["a seven", ["0000000", "0999980", "0000690", "0002960", "0008900", "0049300", "0096000"].map((line) => [...line].map(Number))],
  edge: ["an edge", fill(7, (i, j) => (j < 3 ? 1 : 8))],
  line: ["a slanted line", fill(7, (i, j) => [9, 3][Math.abs(i + j - 6)] ?? 0)],
  noise: ["noise", fill(7, () => Math.floor(random() * 10))],
};

const UNIT = 20; // one cell of a map, in the units of its drawing

/** A grid of cells: a canvas with one pixel a cell, and a drawing on top of it for marks and digits. */
function panel(name, attributes = {}) {
  const caption = make("p", { class: "caption" });
  const canvas = make("canvas", { "aria-hidden": "true" });
  const [digits, marks] = [make("g"), make("g")];
  const drawing = make("svg", attributes, marks, digits);
  const grid = make("div", { class: "grid" }, canvas, drawing);
  return { element: make("div", { class: `panel ${name}` }, caption, grid), caption, canvas, drawing, digits, marks, grid };
}

const mix = (a, b, t) => a.map((part, i) => part + (b[i] - part) * t);

function paint(map, rows, columns, colourAt) {
  set(map.canvas, { width: Math.max(columns, 1), height: Math.max(rows, 1) });
  set(map.drawing, { viewBox: `0 0 ${Math.max(columns, 1) * UNIT} ${Math.max(rows, 1) * UNIT}` });
  if (!rows || !columns) return;
  const context = map.canvas.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  for (let at = 0; at < rows * columns; at += 1) {
    pixels.data.set([...colourAt(Math.floor(at / columns), at % columns), 255], 4 * at);
  }
  context.putImageData(pixels, 0, 0);
}

const square = (row, column, side, name) =>
  make("rect", { x: column * UNIT, y: row * UNIT, width: side * UNIT, height: side * UNIT, class: name });

export default function figure(ui, options) {
  const state = { view: "photograph", pattern: "digit", preset: "vertical", size: 3, divisor: null, stride: 1, padding: 0, dilation: 1,
    row: 0, column: 0, ...options };
  if (options.kernel) Object.assign(state, { preset: "own", size: options.kernel.length, divisor: options.divisor ?? 1 });
  let kernel = options.kernel ?? null;
  let photograph = fill(96, () => 128);
  let output = [[]];
  let reached = Infinity; // how many outputs are drawn while the kernel slides

  const input = () => (state.view === "photograph" ? photograph : PATTERNS[state.pattern][1]);
  const inked = () => state.view === "numbers";

  const source = panel("source", { "aria-hidden": "true" });
  const result = panel("result", { tabindex: 0, role: "application", "aria-label": "Output map. The arrow keys choose a cell." });
  const board = make("div", { class: "board" });
  const divisor = make("input", { type: "text", inputmode: "decimal", "aria-label": "Divide the sum by" });
  const loupe = make("div", { class: "board loupe", "aria-hidden": "true" });
  const middle = make("div", { class: "panel middle" }, make("p", { class: "caption" }, "Kernel"), board,
    make("label", { class: "divide" }, "sum divided by ", divisor), make("div", { class: "under" }, make("p", { class: "caption" }, "Pixels under it"), loupe));
  const sum = make("p", { class: "sum" });
  const formula = make("p", { class: "formula" });
  const scale = make("p", { class: "note" });

  const load = (preset) => {
    const size = preset !== "identity" && state.size === 1 ? 3 : state.size;
    Object.assign(state, { preset, size });
    kernel = PRESETS[preset][1](size);
    state.divisor = PRESETS[preset][2]?.(size) ?? 1;
  };
  const resize = (size) => {
    state.size = size;
    if (state.preset !== "own") return load(size === 1 ? "identity" : state.preset);
    const shift = (kernel.length - size) / 2; // keep the middle of a kernel of the reader's own
    const old = kernel;
    kernel = fill(size, (i, j) => old[i + shift]?.[j + shift] ?? 0);
    return undefined;
  };

  const controls = {
    view: choice({ label: "View", value: state.view, options: [["photograph", "Photograph"], ["numbers", "Numbers"]],
      change: (view) => { state.view = view; centre(); update(); } }),
    preset: list({ label: "Kernel", value: state.preset, options: [...Object.entries(PRESETS).map(([key, [label]]) => [key, label]), ["own", "Your own"]],
      change: (preset) => { if (preset === "own") state.preset = preset; else load(preset); update(); } }),
    size: choice({ label: "Size", value: state.size, options: [1, 3, 5].map((v) => [v, String(v)]), change: (v) => { resize(v); update(); } }),
    ...Object.fromEntries([["stride", [1, 2, 3]], ["padding", [0, 1, 2]], ["dilation", [1, 2, 3]]].map(([name, values]) => [name,
      choice({ label: name[0].toUpperCase() + name.slice(1), value: state[name], options: values.map((v) => [v, String(v)]),
        change: (v) => { state[name] = v; update(); } })])),
    pattern: list({ label: "Numbers show", value: state.pattern, options: Object.entries(PATTERNS).map(([key, [label]]) => [key, label]),
      change: (pattern) => { state.pattern = pattern; update(); } }),
  };
  const slide = button("Slide the kernel", () => {
    if (still() || !output[0]?.length) return step(1);
    reached = reached === Infinity ? 0 : Infinity;
    run(reached === 0);
    return update();
  });
  ui.card.append(
    make("p", { class: "lead" }, "Point at a cell of the output to see the window that made it. Type into the kernel."),
    make("div", { class: "controls" }, Object.values(controls).map((control) => control.element), slide),
    make("div", { class: "stage" }, source.element, middle, result.element), formula, scale, sum);

  const run = frames(ui.card, (seconds) => {
    const total = output.length * output[0].length;
    reached += seconds * (inked() ? 5 : total / 5);
    if (reached >= total) { reached = Infinity; run(false); }
    else [state.row, state.column] = [Math.floor(reached / output[0].length), Math.floor(reached) % output[0].length];
    update(false);
  });

  function step(by) {
    const columns = output[0]?.length ?? 0;
    if (!columns) return;
    const at = (state.row * columns + state.column + by) % (output.length * columns);
    Object.assign(state, { row: Math.floor(at / columns), column: at % columns });
    mark();
  }

  const centre = () => {
    const side = outputSize(input().length, state.size, state.stride, state.padding, state.dilation);
    Object.assign(state, inked() ? { row: 1, column: 3 } : { row: Math.floor(side * 0.37), column: Math.floor(side * 0.4) });
  };

  function edit(i, j, text, cell) {
    const value = Number(text.replace("\u2212", "-").replace(",", "."));
    const right = text.trim() !== "" && Number.isFinite(value);
    set(cell, { "aria-invalid": right ? null : "true" });
    if (!right) return;
    kernel = kernel.map((line, m) => line.map((weight, n) => (m === i && n === j ? value : weight)));
    state.preset = "own";
    update(false);
  }

  /** Lay out the kernel's entries; typing changes one, the up and down arrows by one. */
  function layBoard() {
    board.style.setProperty("--side", kernel.length);
    board.replaceChildren(...kernel.flatMap((line, i) => line.map((weight, j) => {
      const cell = make("input", { type: "text", inputmode: "decimal", "aria-label": `Kernel row ${i + 1}, column ${j + 1}`,
        oninput: () => edit(i, j, cell.value, cell), onfocus: () => cell.select(), onkeydown: (event) => {
          const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
          if (!by) return;
          event.preventDefault();
          cell.value = number(kernel[i][j] + by);
          edit(i, j, cell.value, cell);
        } });
      cell.value = number(weight);
      return cell;
    })));
    divisor.value = number(state.divisor);
  }
  divisor.addEventListener("input", () => {
    const value = Number(divisor.value);
    const right = Number.isFinite(value) && value !== 0;
    set(divisor, { "aria-invalid": right ? null : "true" });
    if (right) { state.divisor = value; state.preset = "own"; update(false); }
  });

  function update(layout = true) {
    const x = input();
    output = convolve(x, kernel, state).map((line) => line.map((value) => value / state.divisor));
    if (layout) layBoard();
    for (const [name, control] of Object.entries(controls)) control.value = state[name];
    controls.pattern.element.hidden = !inked();
    slide.textContent = still() ? "Next window" : reached === Infinity ? "Slide the kernel" : "Stop";
    ui.card.classList.toggle("numbers", inked());
    draw();
    mark();
  }

  function draw() {
    const x = input();
    const [surface, sunk, cool, warm] = ["surface", "sunk", "blue", "orange"].map((name) => parts(ui.colour(name)));
    const grey = (v) => { const tone = clamp(v, 0, 255); return [tone, tone, tone]; };
    const p = state.padding;
    const side = x.length + 2 * p;
    paint(source, side, side, (i, j) => {
      const value = x[i - p]?.[j - p];
      if (value === undefined) return sunk;
      return inked() ? mix(surface, cool, (value / 9) * 0.5) : grey(value);
    });
    const weights = kernel.flat();
    const total = weights.reduce((a, b) => a + b, 0) / state.divisor;
    const most = Math.max(1e-9, ...output.map((line) => Math.max(...line.map(Math.abs))));
    const signed = inked() || total < 1e-9;
    const columns = output[0]?.length ?? 0;
    paint(result, output.length, columns, (i, j) => {
      if (i * columns + j > reached) return sunk;
      const value = output[i][j];
      if (!signed) return grey(value / total);
      const t = Math.abs(value) / most;
      return mix(surface, value < 0 ? warm : cool, inked() ? t * 0.5 : t ** 0.7);
    });
    if (inked() && columns) result.grid.style.width = `${(100 * columns) / Math.max(side, columns)}%`;
    else result.grid.style.width = "100%";
    source.grid.style.width = inked() ? `${(100 * side) / Math.max(side, columns)}%` : "100%";
    const write = (map, values, shift) => map.digits.replaceChildren(...(inked() ? values : []).flatMap((line, i) => line.map((value, j) => {
      const text = shift || i * columns + j <= reached ? number(value, 1) : "";
      const small = text.length > 4 ? "tiny" : text.length > 3 ? "small" : null;
      return make("text", { x: (j + 0.5) * UNIT, y: (i + 0.5) * UNIT, class: small }, text);
    })));
    write(source, fill(side, (i, j) => x[i - p]?.[j - p] ?? 0), true);
    write(result, output, false);
    [...source.digits.children].forEach((text, at) => {
      const [i, j] = [Math.floor(at / side) - p, (at % side) - p];
      text.classList.toggle("zero", x[i]?.[j] === undefined);
    });
    const largest = Math.max(...weights.map(Math.abs), 1e-9);
    [...board.children].forEach((cell, at) => {
      const share = (Math.abs(weights[at]) / largest) * 55;
      cell.style.background = `color-mix(in srgb, var(${weights[at] < 0 ? "--orange" : "--blue"}) ${share}%, var(--surface))`;
    });
    scale.textContent = signed
      ? "Output: blue above zero, orange below, the more the stronger."
      : "Output: grey from black to white as in the input; what falls outside is cut off.";
    const [k, s, d] = [kernel.length, state.stride, state.dilation];
    source.caption.textContent = `Input ${x.length} \u00d7 ${x.length}${p ? `, ${p} of padding` : ""}`;
    result.caption.textContent = `Output ${output.length} \u00d7 ${columns}`;
    formula.replaceChildren(make("span", { class: "name" }, "Output side "),
      `\u230a(${x.length} + 2\u00b7${p} \u2212 ${d}\u00b7(${k} \u2212 1) \u2212 1) / ${s}\u230b + 1 = `, make("b", {}, String(output.length)),
      columns ? "" : `. The kernel reaches over ${d * (k - 1) + 1} pixels and the padded input has ${side}: it has no place.`);
  }

  /** Mark the chosen output and its window, and spell out the sum. */
  function mark() {
    const columns = output[0]?.length ?? 0;
    set(result.drawing, { "aria-disabled": columns ? null : "true" });
    if (!columns) {
      [source.marks, result.marks, loupe, sum].forEach((part) => part.replaceChildren());
      return;
    }
    state.row = clamp(state.row, 0, output.length - 1);
    state.column = clamp(state.column, 0, columns - 1);
    const { row, column, stride, padding, dilation, divisor: share } = state;
    const k = kernel.length;
    const window = taps(input(), kernel, row, column, state);
    const reach = dilation * (k - 1) + 1;
    source.marks.replaceChildren(
      ...(inked() ? window.map((tap) => square(tap.row + padding, tap.column + padding, 1, "tap")) : []),
      square(row * stride, column * stride, reach, "halo"), square(row * stride, column * stride, reach, "frame"));
    result.marks.replaceChildren(square(row, column, 1, "halo"), square(row, column, 1, "frame"));
    loupe.style.setProperty("--side", k);
    loupe.replaceChildren(...window.map((tap) => make("span", { style: `background: rgb(${tap.value}, ${tap.value}, ${tap.value}); color: ${tap.value > 120 ? "#000" : "#fff"}` }, String(tap.value))));
    const value = number(output[row][column]);
    const terms = window.flatMap((tap, at) => [at ? " + " : "",
      make("span", { class: tap.weight && tap.value ? "term" : "term idle" }, `${number(tap.value)}\u00b7${tap.weight < 0 ? `(${number(tap.weight)})` : number(tap.weight)}`)]);
    sum.replaceChildren(make("span", { class: "name" }, `y[${row}, ${column}] `), "= ", share === 1 ? "" : "(", ...terms,
      share === 1 ? "" : `) \u00f7 ${number(share)}`, " = ", make("b", {}, value));
    ui.say(`Output row ${row}, column ${column}: ${value}`);
  }

  const choose = (x, y) => {
    if (!output[0]?.length) return;
    if (reached !== Infinity) { reached = Infinity; run(false); update(false); }
    state.row = clamp(Math.floor(y * output.length), 0, output.length - 1);
    state.column = clamp(Math.floor(x * output[0].length), 0, output[0].length - 1);
    mark();
  };
  draggable(result.drawing, result.drawing, choose);
  result.drawing.addEventListener("pointermove", (event) => {
    const box = result.drawing.getBoundingClientRect();
    if (event.pointerType === "mouse" && !event.buttons) choose((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  });
  result.drawing.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const far = event.shiftKey ? 8 : 1;
    state.row += by[0] * far;
    state.column += by[1] * far;
    mark();
  });

  if (!kernel) load(state.preset);
  if (options.divisor) state.divisor = options.divisor;
  centre();
  update();
  ui.onTheme(draw);

  const picture = new Image();
  picture.src = new URL("./cat.png", import.meta.url).href;
  const ready = picture.decode().then(() => {
    const context = make("canvas", { width: 96, height: 96 }).getContext("2d");
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, 96, 96);
    photograph = fill(96, (i, j) => data[4 * (96 * i + j)]);
    update(false);
  });
  return { state, ready, convolve, input, get kernel() { return kernel; }, get output() { return output; } };
}
