// Predicts the sockets of scripts from their sections in CumulusServer.ini.
import type { Expected } from "../net/sandbox/socket_host.ts";
import { isForScripts, sectionOf } from "../config/config.ts";

/**
 * A key that ends in `port` means a listening socket, unless its section has a `host`: then, and for a URL, it means
 * a connection. A wrong guess costs an unused worker, some 20 MB, or the time of starting it later. docs/api.md,
 * "What scripts may not do", describes this to authors of scripts.
 *
 * @param texts values by key in lower case, including the server's own
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
