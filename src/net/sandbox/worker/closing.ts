// Ports that a script has closed and may open again at once.

/** Ports that are being closed; the system frees a port when the last wait on it has ended. */
const closing = new Map<string, Promise<void>>();

/** Remembers the port `name`, such as `tcp 8080`, until `ended` resolves. */
export function remember(name: string, ended: Promise<void>): void {
  closing.set(name, ended);
  ended.then(() => closing.get(name) === ended && closing.delete(name));
}

/** The end of a port that is being closed; undefined if the port is free. */
export const closingOf = (name: string): Promise<void> | undefined => closing.get(name);
