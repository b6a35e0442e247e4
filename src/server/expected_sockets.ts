// What the sections for scripts in CumulusServer.ini tell of the sockets that these will open.
import type { Expected } from "../net/sandbox/socket_host.ts";
import { isForScripts, sectionOf } from "../config/config.ts";

/**
 * A key that ends in `port` is one that is listened on, unless its section has a `host`, which is
 * connected to, as an URL is. A guess that is wrong costs a worker that nobody uses, some 20 MB, or
 * the time of starting it later. Authors are told in docs/api.md, "What scripts may not do".
 *
 * @param texts values by key, in lower case, the server's own among them
 */
export function expectedSockets(texts: ReadonlyMap<string, string>): Expected {
  const ports: number[] = [];
  let connects = false;
  for (const [name, value] of texts) {
    if (!isForScripts(name)) continue;
    if (/^https?:\/\//i.test(value)) connects = true;
    if (!name.endsWith("port") || !/^\d{1,5}$/.test(value)) continue;
    if (texts.has(`${sectionOf(name)}.host`)) connects = true;
    else ports.push(Number(value));
  }
  return { ports, connects };
}
