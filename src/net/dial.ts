import type { Address } from "../common/address.ts";
import { within } from "../common/wait.ts";
import { StreamSocket } from "./stream_socket.ts";

/**
 * Connects to the first address that answers, trying one after the other.
 *
 * @param timeout milliseconds per address
 * @param tls name that the far end's certificate must have; undefined: without encryption
 * @throws {Error} the error of the last address
 */
export async function dialStream(
  addresses: readonly Address[],
  timeout: number,
  tls?: string,
): Promise<StreamSocket> {
  let last: unknown = new Error("no address to connect to");
  for (const address of addresses) {
    const dialled = connect(address, tls);
    try {
      return new StreamSocket(
        await within(dialled, timeout, `no answer within ${timeout / 1000} s`),
      );
    } catch (error) {
      dialled.then((conn) => conn.close(), () => {});
      last = error;
    }
  }
  throw last;
}

async function connect(address: Address, tls: string | undefined) {
  const conn = await Deno.connect(address);
  if (tls === undefined) return conn;
  const secured = await Deno.startTls(conn, { hostname: tls });
  try {
    await secured.handshake();
  } catch (error) {
    secured.close();
    throw error;
  }
  return secured;
}
