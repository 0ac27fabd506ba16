/*
 * title: Two recipes, and how often one is called better
 * chapter: training/evaluation
 * options: fits, digits, lead, spread, disagree
 * alt: Two hundred comparisons as dots on a scale of measured leads, grey where no winner was declared and
 *   coloured where one was. The two recipes are equal, one net of each is judged by McNemar's test, and many
 *   more than a twentieth of the comparisons declare a winner.
 */
import { button, make, number, randomness, set, slider } from "./_base.js";

/** The 97.5 % points of Student's t, by degrees of freedom. */
const T = [0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
const SIZES = [250, 500, 1000, 2000, 5000, 10000, 100000];
const RACES = 200;

/** A normal number of two even ones. */
export function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * One comparison, in points.  Each fit is as good as its recipe and its luck; the digits that were drawn add
 * noise, for two nets differ on a share `disagree` of them.  One pair of fits is judged by its digits alone
 * (McNemar's test, as a normal one), several by how their leads differ (Student's interval).
 */
export function race(random, { fits, digits, lead, spread, disagree }) {
  const noise = 100 * Math.sqrt(disagree / digits);
  const leads = Array.from({ length: fits }, () =>
    lead + spread * (normal(random) - normal(random)) + noise * normal(random));
  const mean = leads.reduce((sum, one) => sum + one, 0) / fits;
  const variance = leads.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, fits - 1);
  const half = fits === 1 ? 1.96 * noise : T[fits - 1] * Math.sqrt(variance / fits);
  return { mean, half, winner: Math.abs(mean) > half };
}

/** Many comparisons with the same numbers for every reader, and the share that declares a winner. */
export function races(state, seed, count = RACES) {
  const random = randomness(seed);
  const found = Array.from({ length: count }, () => race(random, state));
  return { found, share: found.filter((one) => one.winner).length / count };
}

export default function figure(ui, options) {
  const state = { fits: 1, digits: 10000, lead: 0, spread: 0.45, disagree: 0.064, seed: 1, ...options };
  const [W, H, LIMIT] = [640, 240, 3];
  const x = (lead) => W / 2 + (Math.max(-LIMIT, Math.min(LIMIT, lead)) / LIMIT) * (W / 2 - 24);
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", class: "races" });
  for (let tick = -LIMIT; tick <= LIMIT; tick += 1) {
    svg.append(make("line", { class: tick ? "grid" : "grid zero", x1: x(tick), x2: x(tick), y1: 8, y2: H - 46 }),
      make("text", { class: "axis", x: x(tick), y: H - 26, "text-anchor": "middle" }, number(tick, 0)));
  }
  svg.append(make("text", { class: "axis", x: W / 2, y: H - 4, "text-anchor": "middle" }, "measured lead of the first recipe, points"));
  const dots = Array.from({ length: RACES }, () => make("circle", { r: 4 }));
  svg.append(...dots);
  const told = make("p", { class: "sum" });
  const change = (name) => (value) => { state[name] = value; update(); };
  const fits = slider({ label: "Nets of each recipe:", min: 1, max: 10, value: state.fits, change: change("fits") });
  const digits = slider({ label: "Test digits:", min: 0, max: SIZES.length - 1, value: SIZES.indexOf(state.digits),
    show: (at) => SIZES[at].toLocaleString("en-GB"), change: (at) => { state.digits = SIZES[at]; update(); } });
  const lead = slider({ label: "True lead, points:", min: 0, max: 1.5, step: 0.1, value: state.lead,
    show: (value) => number(value, 1), change: change("lead") });
  const again = button("Two hundred others", () => { state.seed += 1; update(); });
  ui.card.append(
    make("p", { class: "lead" }, "Each dot is one comparison. It is coloured where the comparison declares a winner at the level of 5 %."),
    make("div", { class: "stage" }, svg), told,
    make("div", { class: "controls" }, fits.element, digits.element, lead.element, again));

  function update() {
    const { found, share } = races(state, state.seed);
    const heights = new Map();
    found.forEach(({ mean, winner }, at) => {
      const place = Math.round(x(mean) / 9);
      const height = heights.get(place) ?? 0;
      heights.set(place, height + 1);
      set(dots[at], { cx: place * 9, cy: H - 54 - Math.min(height * 7, H - 70), class: winner ? "winner" : "tie" });
    });
    const judge = state.fits === 1 ? "McNemar's test of one net each" : `an interval over ${state.fits} nets each`;
    told.textContent = `${state.lead ? `The first recipe is ${number(state.lead, 1)} points better.` : "The recipes are equal."} `
      + `On ${state.digits.toLocaleString("en-GB")} digits, ${judge} declares a winner in ${Math.round(100 * share)} % of ${RACES} comparisons.`;
    set(svg, { "aria-label": told.textContent });
    ui.say(told.textContent);
  }

  update();
  return { state, race, races };
}
