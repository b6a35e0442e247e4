// Send buffers of the system for clients of a TCP port.
import { AF_INET, AF_INET6, findListener, openLibc, setBuffer } from "./libc.ts";

/**
 * Limits the system's send buffer of a client that does not read, which grows to 4 MB on Linux:
 * connections inherit the buffer size of the listening socket. Without effect where it cannot be set.
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
    // not Linux, or loading the library is not allowed
  }
}
