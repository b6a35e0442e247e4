import { isLoopback, sourceKey } from "../../common/ip.ts";
import type { Session } from "./session.ts";

/**
 * Which sessions have to go for all together to hold so many bytes less: of the address at which
 * most is held, those first that hold most, then of the next one. Who opens many sessions to hold
 * much by little is found so. Each session of this machine counts alone.
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
