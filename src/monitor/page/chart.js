// Area charts as SVG: the last hour, and the rate of a stream beside its name.
import { duration } from "./format.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
/** Minimum number of samples in the width of a large chart and of a small one, so that it does not stretch a few. */
const MIN_SAMPLES = 37;
const MIN_RATES = 30;
const HEIGHT = 100;
const LINES = 4; // number of grid lines, the top one included

const shape = (name, attributes) => {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

/** A round number of at least `most`, so that the scale changes rarely; its quarters are round too. */
function ceiling(most) {
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 8, 10].map((step) => step * unit).find((value) => value >= most);
}

/** The area below samples and its upper edge; `x` is the position of the first one. */
function areaOf(samples, x, most, name) {
  const end = x + samples.length - 1;
  const points = samples.map((value, i) => `${x + i} ${HEIGHT - HEIGHT * value / most}`);
  const line = `M${points.join("L")}`;
  return [
    shape("path", { class: `area ${name}`, d: `${line}L${end} ${HEIGHT}L${x} ${HEIGHT}Z` }),
    shape("path", { class: `line ${name}`, d: line }),
  ];
}

/**
 * Draws lines of samples, the newest at the right, into a figure.
 *
 * @param figure an element with `.plot svg`, `.scale` and `.axis`
 * @param lines name of a line (and class of its area) → samples, oldest first
 * @param interval milliseconds between two samples
 * @param show the text of a value
 */
export function drawChart(figure, lines, interval, show) {
  const width = Math.max(MIN_SAMPLES, ...Object.values(lines).map(({ length }) => length)) - 1;
  const most = ceiling(Math.max(4, ...Object.values(lines).flat()));
  const svg = figure.querySelector("svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const grid = Array.from({ length: LINES }, (_, i) => {
    const y = HEIGHT * i / LINES;
    return shape("path", { class: "grid", d: `M0 ${y}H${width}` });
  });
  const areas = Object.entries(lines).flatMap(([name, samples]) =>
    samples.length === 0 ? [] : areaOf(samples, width - samples.length + 1, most, name)
  );
  svg.replaceChildren(...grid, ...areas);
  const texts = Object.entries(lines).map(([name, samples]) =>
    `${name} ${show(samples.at(-1) ?? 0)}`
  );
  svg.setAttribute("aria-label", `${texts.join(", ")} now; the scale ends at ${show(most)}`);
  const label = (text) => Object.assign(document.createElement("span"), { textContent: text });
  figure.querySelector(".scale").replaceChildren(
    ...Array.from({ length: LINES }, (_, i) => label(show(most * (LINES - i) / LINES))),
  );
  const span = width * interval / 1000;
  figure.querySelector(".axis").replaceChildren(
    ...[1, 2 / 3, 1 / 3].map((part) => label(`${duration(60 * Math.round(span * part / 60))} ago`)),
    label("now"),
  );
}

/** @returns a small chart of samples, oldest first, which `text` describes */
export function sparkline(samples, text) {
  const width = Math.max(MIN_RATES, samples.length) - 1;
  const svg = shape("svg", {
    class: "rate",
    viewBox: `0 0 ${width} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": text,
  });
  const most = Math.max(1, ...samples) * 1.1;
  // One sample is drawn as a step of one interval.
  const drawn = samples.length === 1 ? [samples[0], samples[0]] : samples;
  if (drawn.length > 0) svg.append(...areaOf(drawn, width - drawn.length + 1, most, "rate"));
  return svg;
}
