// Sends the first packet of a handshake by hand, and reads the answer.
import { toUtf8 } from "../../../src/bytes/text.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import { addressText } from "../../../src/common/address.ts";
import { startupCipher } from "../../../src/rtmfp/crypto/packet_cipher.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { ChunkType, writeChunk } from "../../../src/rtmfp/wire/chunk.ts";
import { writeEpd } from "../../../src/rtmfp/wire/epd.ts";
import { iHello } from "../../../src/rtmfp/wire/ihello.ts";
import {
  Mode,
  PacketReader,
  timestampOf,
  writePacketHeader,
} from "../../../src/rtmfp/wire/packet.ts";
import { PATIENCE } from "../../support/wait.ts";
import { redirect } from "../../../src/rtmfp/wire/redirect.ts";

export interface HelloOptions {
  /** Path and query of the URL; "/" unless told. */
  readonly path?: string;
  /** Ask for a peer instead: its 32 bytes. */
  readonly peerId?: Uint8Array;
  /** Of the URL; 127.0.0.1 and the server's port unless told. */
  readonly host?: string;
  /** 16 bytes; new ones unless told. */
  readonly tag?: Uint8Array;
  /** Milliseconds to wait for an answer; ample ones unless told. */
  readonly patience?: number;
}

export interface HelloAnswer {
  /** `redirect` to addresses, `rHello` to go on with the handshake, `silence`. */
  readonly kind: "redirect" | "rHello" | "silence";
  /** `ip:port` each. */
  readonly addresses: string[];
  /** The chunk's payload. */
  readonly payload: Uint8Array;
  readonly tag: Uint8Array;
}

/** Knocks at a server as a client does. */
export async function hello(port: number, options: HelloOptions = {}): Promise<HelloAnswer> {
  const tag = options.tag ?? crypto.getRandomValues(new Uint8Array(16));
  const url = `rtmfp://${options.host ?? `127.0.0.1:${port}`}${options.path ?? "/"}`;
  const epd = options.peerId
    ? writeEpd({ fingerprint: options.peerId })
    : writeEpd({ ancillary: toUtf8(url) });
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const timer = setTimeout(() => socket.close(), options.patience ?? PATIENCE);
  try {
    await socket.send(datagram(epd, tag), { transport: "udp", hostname: "127.0.0.1", port });
    for (;;) {
      const [bytes] = await socket.receive();
      const packet = startupCipher(portable).open(bytes);
      if (!packet) continue;
      const chunks = new PacketReader();
      for (chunks.open(packet); chunks.next();) {
        const payload = chunks.payload.input.slice(
          chunks.payload.at,
          chunks.payload.at + chunks.payload.left,
        );
        if (chunks.type === ChunkType.redirect) {
          const addresses = redirect.read(chunks.payload).addresses.map(addressText);
          return { kind: "redirect", addresses, payload, tag };
        }
        if (chunks.type === ChunkType.rHello) {
          return { kind: "rHello", addresses: [], payload, tag };
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
      throw error;
    }
    return { kind: "silence", addresses: [], payload: new Uint8Array(0), tag };
  } finally {
    clearTimeout(timer);
    try {
      socket.close();
    } catch {
      // it was closed for want of an answer
    }
  }
}

function datagram(epd: Uint8Array, tag: Uint8Array): Uint8Array {
  const cipher = startupCipher(portable);
  const buffer = new Uint8Array(1200);
  const to = new Writer(buffer.length);
  writePacketHeader(to, Mode.startup, timestampOf(Date.now()));
  writeChunk(to, iHello, { epd, tag });
  const { headroom } = cipher;
  const packet = to.view();
  buffer.set(packet, headroom);
  return buffer.slice(0, cipher.seal(buffer, headroom + packet.length, 0));
}
