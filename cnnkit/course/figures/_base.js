/* What every live figure stands on: making elements, controls, themes, and a place to speak to a
   screen reader.  A figure is a function (ui, options) that appends to ui.card.  `live` in live.py
   joins this file, the figure and one call of `mount` into one inline module; no build step, no import. */

const SVG = new Set("svg g rect circle line path polygon text tspan polyline polygon defs clipPath image title".split(" "));

/** Make an HTML or SVG element: attributes by name, listeners by onname, then its children. */
export function make(tag, attributes = {}, ...children) {
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  set(element, attributes);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Change attributes of an element; false and null remove one. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Whether the reader has asked for less motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A number as prose writes it: a true minus sign, at most `digits` decimals. */
export const number = (value, digits = 2) =>
  String(Number(value.toFixed(digits)) || 0).replace("-", "\u2212");

/** The same random numbers for every reader (mulberry32). */
export function randomness(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Red, green and blue of a colour such as `ui.colour` gives it, for a canvas that is painted pixel by pixel. */
export const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** Where a pointer is within an element, each coordinate from 0 to 1. */
export function pointed(event, element) {
  const box = element.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

/** A row of mutually exclusive choices.  `options` are [value, label] pairs. */
export function choice({ label, options, value, change }) {
  const name = `choice-${label}`.replace(/\W+/g, "-");
  const inputs = options.map(([option, text]) =>
    make("label", {}, make("input", { type: "radio", name, value: option, checked: option === value,
      onchange: () => change(option) }), text));
  const element = make("div", { class: "field", role: "radiogroup", "aria-label": label },
    make("span", { class: "label", "aria-hidden": "true" }, label), make("div", { class: "choice" }, inputs));
  return {
    element,
    get value() { return options[inputs.findIndex((item) => item.firstChild.checked)]?.[0]; },
    set value(wanted) { options.forEach(([option], i) => { inputs[i].firstChild.checked = option === wanted; }); },
    allow(test) { options.forEach(([option], i) => { inputs[i].firstChild.disabled = !test(option); }); },
  };
}

/** A drop-down list.  `options` are [value, label] pairs. */
export function list({ label, options, value, change }) {
  const select = make("select", { onchange: () => change(select.value) },
    options.map(([option, text]) => make("option", { value: option, selected: option === value }, text)));
  const element = make("label", { class: "field" }, make("span", { class: "label" }, label), select);
  return { element, get value() { return select.value; }, set value(wanted) { select.value = wanted; } };
}

/** A slider with its value beside its name. */
export function slider({ label, min, max, step = 1, value, show = String, change }) {
  const shown = make("span", {}, show(value));
  const input = make("input", { type: "range", min, max, step, value, "aria-valuetext": show(value) });
  const tell = () => { shown.textContent = show(input.valueAsNumber); set(input, { "aria-valuetext": shown.textContent }); };
  input.addEventListener("input", () => { tell(); change(input.valueAsNumber); });
  const element = make("label", { class: "field" }, make("span", { class: "label" }, `${label} `, shown), input);
  return { element, input, get value() { return input.valueAsNumber; }, set value(wanted) { input.value = wanted; tell(); } };
}

/** A push button; `pressed` makes it a switch that hands its new state to `action`. */
export function button(label, action, pressed) {
  const element = make("button", { type: "button", "aria-pressed": pressed === undefined ? null : String(pressed) }, label);
  element.addEventListener("click", () => {
    if (pressed === undefined) return action(element);
    pressed = !pressed;
    set(element, { "aria-pressed": String(pressed) });
    return action(pressed);
  });
  return element;
}

/** Let an element be dragged: move(x, y, event) with coordinates from 0 to 1 within `frame`. */
export function draggable(element, frame, move, start = () => {}) {
  element.classList.add("handle");
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.stopPropagation();
    element.setPointerCapture(event.pointerId);
    const begun = pointed(event, frame);
    start(...begun, event);
    move(...begun, event);
    const drag = (later) => move(...pointed(later, frame), later);
    element.addEventListener("pointermove", drag);
    const end = () => element.removeEventListener("pointermove", drag);
    element.addEventListener("pointerup", end, { once: true });
    element.addEventListener("pointercancel", end, { once: true });
  });
}

/** Call step(seconds since the last call) for each frame while the figure is seen; returns a switch. */
export function frames(element, step) {
  let seen = false, wanted = false, last = null, request = 0;
  const tick = (now) => {
    step(last === null ? 0 : Math.min(0.1, (now - last) / 1000));
    last = now;
    request = requestAnimationFrame(tick);
  };
  const update = () => {
    cancelAnimationFrame(request);
    last = null;
    if (seen && wanted) request = requestAnimationFrame(tick);
  };
  new IntersectionObserver((entries) => { seen = entries.at(-1).isIntersecting; update(); }).observe(element);
  return (on) => { wanted = on; update(); };
}

/** Light or dark, as the page around the figure is: the book, JupyterLab, Colab, VS Code, or the system. */
function pageTheme() {
  const { documentElement: html, body } = document;
  const told = html.dataset.theme ?? html.getAttribute("theme");
  if (told) return told === "dark" ? "dark" : "light";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  if (/\bvscode-/.test(body.className)) return /vscode-(dark|high-contrast)\b/.test(body.className) ? "dark" : "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function begin(host, figure, options, style) {
  host.dataset.live = "";
  const card = make("div", { class: "card", role: "group", "aria-label": host.dataset.title });
  const voice = make("p", { class: "hidden", role: "status" });
  host.attachShadow({ mode: "open" }).append(make("style", {}, style), make("slot"), card, voice);
  card.append(make("p", { class: "title" }, host.dataset.title));
  // A page's own keys (search, next page, cut a cell) are not meant by who types into a figure.
  card.addEventListener("keydown", (event) => { if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation(); });
  const retint = [];
  let talk = 0;
  const ui = {
    card,
    /** Tell a screen reader, once the reader has paused. */
    say(text) {
      clearTimeout(talk);
      talk = setTimeout(() => { voice.textContent = text; }, 350);
    },
    /** A colour of the palette, for canvases: colour("warm"). */
    colour: (name) => getComputedStyle(host).getPropertyValue(`--${name}`).trim(),
    /** Call now and whenever the theme changes. */
    onTheme(draw) { retint.push(draw); draw(); },
  };
  const dress = () => {
    if (host.dataset.theme === pageTheme()) return;
    host.dataset.theme = pageTheme();
    retint.forEach((draw) => draw());
  };
  dress();
  const watch = new MutationObserver(dress);
  const attributeFilter = ["data-theme", "theme", "data-jp-theme-light", "class"];
  [document.documentElement, document.body].forEach((node) => watch.observe(node, { attributes: true, attributeFilter }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  host.figure = figure(ui, options);
}

/** Bring a figure to life in every element of that id that has none yet, waiting for a notebook to attach it. */
export function mount(id, figure, options, style, tries = 100) {
  const hosts = document.querySelectorAll(`[id="${id}"]:not([data-live])`);
  hosts.forEach((host) => begin(host, figure, options, style));
  if (!hosts.length && tries) setTimeout(() => mount(id, figure, options, style, tries - 1), 50);
}
