// What the sections for scripts in CumulusServer.ini tell of the sockets that these will open.
import type { Expected } from "../net/sandbox/socket_host.ts";
import { settings } from "./settings.ts";

const sectionOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf(".")));
const ours = new Set(Object.keys(settings).map((name) => sectionOf(name).toLowerCase()));
const known = new Set(Object.keys(settings).map((name) => name.toLowerCase()));

/**
 * A key that ends in `port` is one that is listened on, unless its section has a `host`, which is
 * connected to, as an URL is. A guess that is wrong costs a worker that nobody uses, or the time
 * of starting it later.
 *
 * @param texts values by key, in lower case, the server's own among them
 */
export function expectedSockets(texts: ReadonlyMap<string, string>): Expected {
  const ports: number[] = [];
  let connects = false;
  for (const [name, value] of texts) {
    const section = sectionOf(name);
    if (section === "" ? known.has(name) : ours.has(section)) continue;
    if (/^https?:\/\//i.test(value)) connects = true;
    if (!name.endsWith("port") || !/^\d{1,5}$/.test(value)) continue;
    if (texts.has(`${section}.host`)) connects = true;
    else ports.push(Number(value));
  }
  return { ports, connects };
}
