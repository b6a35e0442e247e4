// Area charts of the last hour, drawn as SVG.

const NAMESPACE = "http://www.w3.org/2000/svg";
const MIN_SAMPLES = 30; // a chart that begins does not stretch a few samples over its width
const HEIGHT = 100;

const shape = (name, attributes) => {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

/** A round number of at least `most`, so that the scale stands still. */
function ceiling(most) {
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * unit).find((value) => value >= most);
}

/**
 * Draws lines of samples, the newest at the right, into a figure.
 *
 * @param figure an element with a `figcaption` and an `svg`
 * @param lines name of a line (and class of its area) → samples, oldest first
 * @param show the text of a value
 */
export function drawChart(figure, lines, show) {
  const width = Math.max(MIN_SAMPLES, ...Object.values(lines).map(({ length }) => length)) - 1;
  const most = ceiling(Math.max(1, ...Object.values(lines).flat()));
  const svg = figure.querySelector("svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const areas = Object.entries(lines).flatMap(([name, samples]) => {
    if (samples.length === 0) return [];
    const start = width - samples.length + 1;
    const points = samples.map((value, i) => `${start + i} ${HEIGHT - 96 * value / most}`);
    const line = `M${points.join("L")}`;
    return [
      shape("path", { class: `area ${name}`, d: `${line}L${width} ${HEIGHT}L${start} ${HEIGHT}Z` }),
      shape("path", { class: `line ${name}`, d: line }),
    ];
  });
  svg.replaceChildren(...areas);
  const texts = Object.entries(lines).map(([name, samples]) =>
    `${name} ${show(samples.at(-1) ?? 0)}`
  );
  svg.setAttribute("aria-label", `${texts.join(", ")} now; the scale ends at ${show(most)}`);
  figure.querySelector(".scale").textContent = show(most);
}
