import { isLoopback, sourceKey } from "../../common/ip.ts";
import type { Session } from "./session.ts";

/**
 * Selects the sessions to close so that all sessions hold `bytes` less: the address that holds most comes first, and the largest sessions of an address. This finds a client that opens many small
 * sessions. Sessions from this machine count one by one.
 */
export function selectEvictions(sessions: Iterable<Session>, bytes: number): Session[] {
  const sources = new Map<string, { held: number; sessions: Session[] }>();
  for (const session of sessions) {
    const { held } = session.receiving;
    if (held === 0) continue;
    const { address } = session;
    const key = isLoopback(address.hostname)
      ? `session ${session.nearId}`
      : sourceKey(address.hostname);
    const source = sources.get(key);
    if (source) {
      source.held += held;
      source.sessions.push(session);
    } else sources.set(key, { held, sessions: [session] });
  }
  const found: Session[] = [];
  for (const source of [...sources.values()].sort((a, b) => b.held - a.held)) {
    source.sessions.sort((a, b) => b.receiving.held - a.receiving.held);
    for (const session of source.sessions) {
      if (bytes <= 0) return found;
      bytes -= session.receiving.held;
      found.push(session);
    }
  }
  return found;
}
