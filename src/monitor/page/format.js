// Formats numbers for people.

const whole = new Intl.NumberFormat();

export const number = (value) => whole.format(Math.round(value));

/** Such as `1.2 Mb/s`. */
export function scaled(value, unit) {
  for (const prefix of ["", "k", "M", "G"]) {
    if (value < 999.5 || prefix === "G") {
      return `${value.toFixed(value < 9.95 && prefix ? 1 : 0)} ${prefix}${unit}`;
    }
    value /= 1000;
  }
}

export function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

export const ago = (at) => `${duration(Math.max(0, (Date.now() - at) / 1000))} ago`;
export const short = (id) => id.length > 16 ? `${id.slice(0, 12)}…` : id;

/** An element with a text node, as names and errors come from clients. */
export function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.append(text);
  if (className) made.className = className;
  return made;
}

/** A word in a coloured capsule: `good`, `warn` or `bad`. */
export const pill = (text, kind) => element("span", text, `pill ${kind}`);
