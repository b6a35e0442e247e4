// Common parts of the sockets of scripts: their owner, their callbacks, the form of addresses.
import type { Address } from "../../common/address.ts";
import { unmapped } from "../../common/ip.ts";
import { type Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Sockets } from "./host.ts";

const opened = new WeakMap<LuaApplication, Sockets>();

/** The sockets of the application that is running; they are closed when it stops (SOCK-008). */
export function socketsOf(api: Api): Sockets {
  const application = api.running!;
  let sockets = opened.get(application);
  if (!sockets) {
    sockets = api.host.sockets({
      take: (bytes) => api.outside.take(application, bytes),
      release: (bytes) => api.outside.release(application, bytes),
    });
    const own = sockets;
    opened.set(application, own);
    application.owned.add({
      close() {
        opened.delete(application);
        own.close();
      },
    });
  }
  return sockets;
}

/** The owner of a callback. */
interface Caller {
  readonly application: LuaApplication;
  readonly socket: object;
}

const NOTHING = new Uint8Array(0);

/**
 * Runs a callback of a script's object, as input of its own (SOCK-005). It waits while the calls of its application
 * must wait.
 *
 * @param action called with the bytes, or a copy of them
 * @param refused called instead if the limit of waiting input is reached
 */
export function callLater(
  api: Api,
  { application, socket }: Caller,
  what: string,
  bytes: Uint8Array | undefined,
  action: (bytes: Uint8Array) => void,
  refused: () => void = () => {},
): void {
  api.host.input(what, () => {
    const { waiting } = api.hub;
    const data = bytes ?? NOTHING;
    if (!waiting.holds(socket) && !application.mustWait) return action(data);
    const copy = data.slice();
    if (!waiting.add(application, socket, copy.length, () => action(copy))) refused();
  });
}

/** Reads `host:port` or `[ip]:port`; undefined for other texts. */
export function parseHostPort(text: string): Address | undefined {
  const [, ip, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text.trim()) ?? [];
  const hostname = ip ?? name;
  const port = Number(digits);
  if (hostname === undefined || port > 65535) return undefined;
  return { hostname: unmapped(hostname), port };
}
