// Recognizes broadcast addresses (RFC 919), which a script must enable explicitly.

/** Ms for which the list of this machine's networks stays valid. */
const LIST_LIFETIME = 10_000;

let known: ReadonlySet<string> = new Set();
let knownUntil = -Infinity;

/** @param ip in canonical form */
export function isBroadcast(ip: string): boolean {
  if (ip.includes(":")) return false; // IPv6 has none
  if (ip === "255.255.255.255") return true;
  const now = performance.now();
  if (now >= knownUntil) {
    known = ofThisMachine();
    knownUntil = now + LIST_LIFETIME;
  }
  return known.has(ip);
}

/** The last address of each network that this machine is in. */
function ofThisMachine(): Set<string> {
  const found = new Set<string>();
  try {
    for (const { family, address, netmask } of Deno.networkInterfaces()) {
      if (family !== "IPv4" || netmask === "255.255.255.255") continue;
      const mask = netmask.split(".").map(Number);
      found.add(
        address.split(".").map((part, i) => Number(part) | (~(mask[i] ?? 0) & 255)).join("."),
      );
    }
  } catch {
    // unavailable: then only the system recognizes broadcast addresses
  }
  return found;
}
