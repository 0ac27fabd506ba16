/*
 * title: Grow a receptive field
 * chapter: layers/receptive-fields
 * options: preset, layers, layer, unit
 * alt: Rows of small squares, one row for each layer, the picture's pixels at the bottom. From one square of the top
 *   row lines fan out downwards to all squares that it sees; the pixels are shaded by the number of ways that lead
 *   to them. Beside it a photograph of a cat, on which the field is a bright square.
 */
import { button, clamp, frames, list, make, set, still } from "./_base.js";

const SIDE = 45; // pixels across the picture
const CELL = 14;
const ROW = 44;
const MOST = 6;

const conv = (k, s = 1, d = 1) => ({ k, s, d });
const PRESETS = {
  stack: ["Four 3 \u00d7 3", [conv(3), conv(3), conv(3), conv(3)]],
  five: ["Two 5 \u00d7 5", [conv(5), conv(5)]],
  stride: ["The second takes stride 2", [conv(3), conv(3, 2), conv(3), conv(3)]],
  pooled: ["Convolve, pool, convolve, pool", [conv(3), conv(2, 2), conv(3), conv(2, 2)]],
  dilated: ["Dilated by 1, 2, 4, 8", [conv(3), conv(3, 1, 2), conv(3, 1, 4), conv(3, 1, 8)]],
  gridded: ["Dilated by 2, 2, 2", [conv(3, 1, 2), conv(3, 1, 2), conv(3, 1, 2)]],
};

/** Zeros before the first pixel, so that fields stay in the middle: half of what the kernel overhangs. */
const padding = ({ k, d }) => Math.floor((d * (k - 1)) / 2);

/** Field size, stride and first pixel of unit 0, for the picture and after each layer. */
export function fields(layers) {
  const found = [{ size: 1, stride: 1, offset: 0 }];
  for (const layer of layers) {
    const { size, stride, offset } = found.at(-1);
    found.push({ size: size + (layer.k - 1) * layer.d * stride, stride: stride * layer.s, offset: offset - padding(layer) * stride });
  }
  return found;
}

/** For each layer below a unit, the units that it sees, each with the number of ways that lead there. */
export function ways(layers, top, unit) {
  const found = Array.from({ length: top + 1 }, () => new Map());
  found[top].set(unit, 1);
  for (let at = top; at > 0; at -= 1) {
    const { k, s, d } = layers[at - 1];
    for (const [i, count] of found[at]) {
      for (let t = 0; t < k; t += 1) {
        const below = i * s - padding(layers[at - 1]) + t * d;
        found[at - 1].set(below, (found[at - 1].get(below) ?? 0) + count);
      }
    }
  }
  return found;
}

export default function figure(ui, options) {
  const state = { preset: "stack", layer: null, unit: null, ...options };
  let layers = (options.layers ?? PRESETS[state.preset][1]).map((layer) => conv(layer.k ?? layer[0], layer.s ?? layer[1], layer.d ?? layer[2]));
  if (options.layers) state.preset = "own";
  let shown = layers.length; // how many are drawn while the field grows

  const drawing = make("svg", { tabindex: 0, role: "application",
    "aria-label": "Units of each layer. Left and right choose a unit, up and down a layer." });
  const canvas = make("canvas", { width: 96, height: 96, "aria-hidden": "true" });
  const told = make("p", { class: "sum" });
  const rows = make("div", { class: "rows" });
  const preset = list({ label: "Start from", value: state.preset,
    options: [...Object.entries(PRESETS).map(([key, [label]]) => [key, label]), ["own", "Your own"]],
    change: (value) => {
      state.preset = value;
      if (value !== "own") layers = PRESETS[value][1].map((layer) => ({ ...layer }));
      shown = layers.length;
      Object.assign(state, { layer: null, unit: null });
      update();
    } });
  const more = button("Add a layer", () => change(() => layers.push(conv(3))));
  const grow = button("Grow it", () => {
    shown = shown < layers.length && still() ? shown + 1 : 1;
    Object.assign(state, { layer: null, unit: null });
    run(!still() && layers.length > 1);
    clock = 0;
    update();
  });
  ui.card.append(
    make("p", { class: "lead" }, "Each row is a layer, seen from the side. Point at a unit to see what it sees."),
    make("div", { class: "controls" }, preset.element, more, grow),
    make("div", { class: "stage" }, make("div", { class: "side" }, drawing),
      make("div", { class: "front" }, make("p", { class: "caption" }, "The same from the front"), canvas)),
    told, rows,
    make("p", { class: "note" }, "Shading: in how many ways a pixel reaches the unit. r is the side of the field, j how many pixels of the picture one step in this layer is."));

  let clock = 0;
  const run = frames(ui.card, (seconds) => {
    clock += seconds;
    if (clock < 1) return;
    clock = 0;
    shown = Math.min(shown + 1, layers.length);
    if (shown === layers.length) run(false);
    update();
  });

  function change(edit) {
    edit();
    state.preset = "own";
    shown = layers.length;
    Object.assign(state, { layer: null, unit: null });
    run(false);
    update();
  }

  const picture = new Image();
  picture.src = new URL("./cat.png", import.meta.url).href;

  /** Where a unit's field has its middle, in pixels of the picture. */
  const middle = (field, unit) => unit * field.stride + field.offset + (field.size - 1) / 2;
  const first = (field) => Math.ceil((-(field.size - 1) / 2 - field.offset) / field.stride);
  const last = (field) => Math.floor((SIDE - 1 - (field.size - 1) / 2 - field.offset) / field.stride);
  const nearest = (field, place) => clamp(Math.round((place - (field.size - 1) / 2 - field.offset) / field.stride), first(field), last(field));

  function chosen(all) {
    const layer = clamp(state.layer ?? shown, 0, shown);
    return { layer, unit: clamp(state.unit ?? nearest(all[layer], (SIDE - 1) / 2), first(all[layer]), last(all[layer])) };
  }

  function update() {
    const all = fields(layers.slice(0, shown));
    const { layer, unit } = chosen(all);
    const seen = ways(layers, layer, unit);
    const most = Math.max(...seen[0].values());
    const height = ROW * shown + CELL + 8;
    const y = (at) => (shown - at) * ROW + 4;
    const x = (at, i) => (middle(all[at], i) + 0.5) * CELL;
    const lines = [];
    for (let at = layer; at > 0; at -= 1) {
      const { k, s, d } = layers[at - 1];
      for (const i of seen[at].keys()) {
        for (let t = 0; t < k; t += 1) {
          const below = i * s - padding(layers[at - 1]) + t * d;
          lines.push(make("line", { x1: x(at, i), y1: y(at) + CELL, x2: x(at - 1, below), y2: y(at - 1), class: "wire" }));
        }
      }
    }
    const cells = [];
    for (let at = shown; at >= 0; at -= 1) {
      const field = all[at];
      const low = Math.min(first(field), ...(seen[at]?.keys() ?? []));
      const high = Math.max(last(field), ...(seen[at]?.keys() ?? []));
      for (let i = low; i <= high; i += 1) {
        const count = seen[at]?.get(i);
        const outside = middle(field, i) < 0 || middle(field, i) > SIDE - 1;
        if (outside && !count) continue;
        const name = ["unit", count ? "seen" : "", outside ? "padding" : "", at === layer && i === unit ? "top" : ""].join(" ").trim();
        const strength = at === 0 && count ? 0.18 + 0.82 * (count / most) : null;
        cells.push(make("rect", { x: x(at, i) - CELL / 2 + 1, y: y(at), width: CELL - 2, height: CELL - 2, rx: 2, class: name,
          "fill-opacity": strength, onpointerenter: () => choose(at, i) }));
      }
    }
    set(drawing, { viewBox: `0 0 ${SIDE * CELL} ${height}` });
    drawing.replaceChildren(...lines, ...cells);
    const field = all[layer];
    const from = unit * field.stride + field.offset;
    const beyond = from < 0 || from + field.size > SIDE;
    const pixels = seen[0].size;
    told.replaceChildren(
      layer === 0 ? "A pixel of the picture sees itself." : `A unit of layer ${layer} sees `,
      ...(layer === 0 ? [] : [make("b", {}, `${field.size} \u00d7 ${field.size}`), " pixels",
        pixels < field.size ? `, though only ${pixels} of the ${field.size} in a row reach it` : "",
        beyond ? "; part of its field lies in the padding." : "."]));
    ui.say(told.textContent);
    tell(all);
    photograph(seen[0], from, field.size, most);
    preset.value = state.preset;
    more.disabled = layers.length >= MOST;
  }

  /** One row of controls and arithmetic for each layer, the newest on top. */
  function tell(all) {
    const active = rows.getRootNode().activeElement?.getAttribute?.("aria-label");
    rows.replaceChildren(...layers.slice(0, shown).map((layer, at) => {
      const pick = (name, label, values) => {
        const box = make("select", { "aria-label": `${label} of layer ${at + 1}`, onchange: () => change(() => { layers[at][name] = Number(box.value); }) },
          values.map((value) => make("option", { value, selected: value === layer[name] }, String(value))));
        return make("label", { class: "pick" }, `${label} `, box);
      };
      const [before, after] = [all[at], all[at + 1]];
      return make("div", { class: "row" },
        make("span", { class: "name" }, `Layer ${at + 1}`),
        pick("k", "kernel", [1, 2, 3, 4, 5, 7]), pick("s", "stride", [1, 2, 3]), pick("d", "dilation", [1, 2, 3, 4, 8]),
        layers.length > 1 ? make("button", { type: "button", class: "remove", "aria-label": `Remove layer ${at + 1}`,
          onclick: () => change(() => layers.splice(at, 1)) }, "\u00d7") : null,
        make("span", { class: "formula" }, `r = ${before.size} + (${layer.k} \u2212 1)\u00b7${layer.d}\u00b7${before.stride} = `, make("b", {}, String(after.size)),
          `, j = ${before.stride}\u00b7${layer.s} = ${after.stride}`));
    }).reverse());
    if (active) [...rows.querySelectorAll("[aria-label]")].find((item) => item.getAttribute("aria-label") === active)?.focus();
  }

  function photograph(pixels, from, size, most) {
    const side = 270;
    set(canvas, { width: side, height: side });
    const context = canvas.getContext("2d");
    const unit = side / SIDE;
    context.imageSmoothingEnabled = true;
    if (picture.complete && picture.naturalWidth) context.drawImage(picture, 0, 0, side, side);
    else { context.fillStyle = "#808080"; context.fillRect(0, 0, side, side); }
    context.fillStyle = "rgba(10, 14, 20, 0.66)";
    for (let i = 0; i < SIDE; i += 1) {
      for (let j = 0; j < SIDE; j += 1) {
        const share = ((pixels.get(i) ?? 0) / most) * ((pixels.get(j) ?? 0) / most);
        context.globalAlpha = 1 - share ** 0.35;
        context.fillRect(j * unit, i * unit, unit, unit);
      }
    }
    context.globalAlpha = 1;
    context.strokeStyle = ui.colour("mark");
    context.lineWidth = 3;
    context.strokeRect(from * unit, from * unit, size * unit, size * unit);
  }

  function choose(layer, unit) {
    if (state.layer === layer && state.unit === unit) return;
    Object.assign(state, { layer, unit });
    update();
  }

  drawing.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const all = fields(layers.slice(0, shown));
    const { layer, unit } = chosen(all);
    const to = clamp(layer + by[0], 0, shown);
    choose(to, by[0] ? nearest(all[to], middle(all[layer], unit)) : clamp(unit + by[1], first(all[layer]), last(all[layer])));
  });

  update();
  const ready = picture.decode().then(update);
  return { state, ready, fields, ways, get layers() { return layers; }, get shown() { return shown; } };
}
