// What the system keeps for clients of a TCP port.
import { AF_INET, AF_INET6, findListener, openLibc, setBuffer } from "./libc.ts";

/**
 * Bounds what the system keeps for a client that does not read, which it lets grow to 4 MB on Linux:
 * connections have the buffer of the socket that accepted them. Where that cannot be set it stays.
 */
export function boundSendBuffers(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  bytes: number,
): void {
  try {
    const libc = openLibc();
    const fd = findListener(libc, hostname.includes(":") ? AF_INET6 : AF_INET, port);
    if (fd !== undefined) setBuffer(libc, fd, "send", bytes);
  } catch {
    // another system, or the library may not be loaded
  }
}
