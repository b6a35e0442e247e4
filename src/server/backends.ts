// Chooses the implementations of cryptography and sockets: `[rtmfp] native`.
import type { DatagramSocket } from "../net/datagram_socket.ts";
import { openLibc } from "../net/libc.ts";
import { type Libcrypto, openLibcrypto } from "../openssl/libcrypto.ts";
import { NativeCrypto } from "../openssl/native_crypto.ts";
import { NativeUdpSocket } from "../net/native_udp.ts";
import { openTrim } from "../net/spare_memory.ts";
import { bindUdp, UdpSocket } from "../net/udp.ts";
import type { CryptoBackend } from "../rtmfp/crypto/backend.ts";
import type { Log } from "../log/log.ts";
import { LibraryPowers, type Powers, WorkerPowers } from "./powers.ts";
import type { Config } from "../config/settings.ts";
import { StartError } from "./start_error.ts";

/** Size (bytes) of the socket's buffers, for bursts while a script runs: Linux's default lasts for 5 ms. */
const NATIVE_BUFFER = 4 << 20;

export interface Cryptography {
  readonly backend: CryptoBackend;
  readonly powers: Powers;
}

/** @throws {StartError} if `native = on` and no library is usable */
export async function openCryptography(
  native: Config["rtmfp.native"],
  log: Log,
): Promise<Cryptography> {
  if (native !== "off") {
    try {
      const library: Libcrypto = openLibcrypto();
      return { backend: new NativeCrypto(library), powers: new LibraryPowers(library) };
    } catch (error) {
      if (native === "on") {
        throw new StartError(`[rtmfp] native = on: no libcrypto: ${(error as Error).message}`);
      }
      log.info(
        `Using portable cryptography, which is slower: no libcrypto: ${(error as Error).message}`,
      );
    }
  }
  const { portable } = await import("../rtmfp/crypto/portable.ts"); // takes long to load
  return { backend: portable, powers: new WorkerPowers() };
}

/** @throws {StartError} if the port cannot be opened, or `native = on` and Linux's calls are unavailable */
export async function openSocket(
  config: Pick<Config, "rtmfp.native" | "rtmfp.address" | "udpBufferSize">,
  port: number,
  log: Log,
): Promise<DatagramSocket> {
  const conn = await bind(config["rtmfp.address"], port);
  const native = config["rtmfp.native"];
  const size = config.udpBufferSize;
  if (native !== "off" && (native === "on" || Deno.build.os === "linux")) {
    try {
      const socket = new NativeUdpSocket(conn, openLibc(), size || NATIVE_BUFFER);
      const { receive, send } = socket.bufferSizes;
      if (size > Math.min(receive, send)) {
        log.warn(
          `udpBufferSize = ${size}: the system allows ${receive} bytes for receiving and ${send} ` +
            `for sending (net.core.rmem_max, wmem_max)`,
        );
      }
      return socket;
    } catch (error) {
      if (native === "on") {
        conn.close();
        throw new StartError(`[rtmfp] native = on: no batches: ${(error as Error).message}`);
      }
      log.info(`Sending datagrams one by one: ${(error as Error).message}`);
    }
  }
  if (size > 0) log.warn("udpBufferSize has no effect: only [rtmfp] native on Linux can set it");
  return new UdpSocket(conn);
}

/** A function that returns unused memory to the system; undefined if unavailable or not permitted. */
export function trimming(native: Config["rtmfp.native"]): (() => Promise<unknown>) | undefined {
  if (native === "off") return undefined;
  try {
    return openTrim();
  } catch {
    return undefined;
  }
}

async function bind(hostname: string, port: number): Promise<Deno.DatagramConn> {
  try {
    return await bindUdp({ hostname: hostname || undefined, port });
  } catch (error) {
    const where = `UDP port ${port}${hostname ? ` of ${hostname}` : ""}`;
    if (error instanceof Deno.errors.AddrInUse) {
      throw new StartError(`${where} is in use by another program or another CumulusServer`);
    }
    throw new StartError(`${where} cannot be opened: ${(error as Error).message}`);
  }
}
