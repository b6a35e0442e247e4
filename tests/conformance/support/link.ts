// The other end of a link between servers, byte by byte: CLU-060 to CLU-068.
import { encodeAmf } from "../../../src/amf/mod.ts";
import type { AmfValue } from "../../../src/amf/mod.ts";
import { toUtf8 } from "../../../src/bytes/text.ts";
import { Inbox } from "./inbox.ts";

export class RawLink {
  /** Frames with their length, in upper-case hexadecimal. */
  readonly frames = new Inbox<string>();
  readonly ends = new Inbox<true>();

  private constructor(readonly connection: Deno.TcpConn) {
    this.#pump();
  }

  static async connect(port: number): Promise<RawLink> {
    return new RawLink(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  static async accept(listener: Deno.TcpListener): Promise<RawLink> {
    return new RawLink(await listener.accept());
  }

  /** The nth frame. @throws {Timeout} */
  frame(place: number): Promise<string> {
    let left = place;
    return this.frames.find(() => left-- === 0, `frame ${place}`);
  }

  async write(...bytes: Uint8Array[]): Promise<void> {
    const all = Uint8Array.from(bytes.flatMap((part) => [...part]));
    for (let at = 0; at < all.length;) at += await this.connection.write(all.subarray(at));
  }

  ended(): Promise<true> {
    return this.ends.find(() => true, "the end of the link");
  }

  close(): void {
    try {
      this.connection.close();
    } catch {
      // it was closed before
    }
  }

  async #pump(): Promise<void> {
    let kept = new Uint8Array(0);
    const buffer = new Uint8Array(65536);
    try {
      for (let n; (n = await this.connection.read(buffer)) !== null;) {
        kept = Uint8Array.from([...kept, ...buffer.subarray(0, n)]);
        while (kept.length >= 4) {
          const length = new DataView(kept.buffer).getUint32(0);
          if (kept.length < 4 + length) break;
          this.frames.push(hex(kept.subarray(0, 4 + length)));
          kept = kept.slice(4 + length);
        }
      }
    } catch {
      // closed by this end
    }
    this.ends.push(true);
  }
}

/** A frame: `u32 length | handler | payload`. */
export function frame(handler: Uint8Array, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + handler.length + payload.length);
  new DataView(bytes.buffer).setUint32(0, handler.length + payload.length);
  bytes.set(handler, 4);
  bytes.set(payload, 4 + handler.length);
  return bytes;
}

/** A handler by its name, for its first use. */
export const named = (name: string): Uint8Array => Uint8Array.of(name.length, ...toUtf8(name));
/** A handler by its number, below 128. */
export const numbered = (number: number): Uint8Array => Uint8Array.of(0, number);

export const text = (text: string): Uint8Array =>
  Uint8Array.of(toUtf8(text).length, ...toUtf8(text)); // as long as it is short
export const values = (...values: AmfValue[]): Uint8Array => encodeAmf(...values);

/** Identification by the RTMFP port, with properties. */
export function identification(port: number, ...properties: string[]): Uint8Array {
  const parts = [0, port >> 8, port & 255, ...properties.flatMap((each) => [...text(each)])];
  return frame(numbered(0), Uint8Array.from(parts));
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ").toUpperCase();
}
