import { equalBytes } from "../../bytes/equal.ts";
import { Writer } from "../../bytes/writer.ts";
import { type Address, sameAddress } from "../../common/address.ts";
import { ipBytes } from "../../common/ip.ts";
import type { SendFlow } from "../flow/send_flow.ts";
import type { Ack } from "../wire/ack.ts";
import { writeChunk } from "../wire/chunk.ts";
import { ping } from "../wire/ping.ts";
import type { Context } from "./context.ts";

/** Minimum time (ms) between two pings to new addresses. */
const ASK_INTERVAL = 1000;
/** Time (ms) for which the answer to a ping counts. */
const ANSWER_LIFETIME = 120_000;
/** First byte of the message of such a ping: 'M'. */
const MARK = 0x4d;
/** Length of the time in it, in bytes. */
const TIME = 8;
/** Length of the digest in it, in bytes. */
const DIGEST = 16;
const NOWHERE = new Uint8Array(0);

/**
 * When packets of a session come from a new address, as behind a NAT that has forgotten the old one,
 * the session moves only once the far end has proved to be there: an attacker can replay packets from
 * anywhere, and without sequence numbers old packets look like new ones. RFC 7016 §3.5.4.2.
 *
 * The proof is the answer to a ping with random content, made for one address and sent since the
 * session last moved, so that one answer moves it once. Clients of 2016 do not return the content of pings. They get a fragment with a new sequence number at the new address only, and
 * acknowledge it from there. Since a number can be guessed, at least by the client itself, this moves
 * a session only to another port of its IP address, as a NAT that forgot its mapping does.
 */
export class Mobility {
  readonly #context: Context;
  readonly #sessionId: number;
  #movedAt: number;
  #asked: Address | undefined;
  #askedAt = -Infinity;
  #toAsk: Address | undefined;
  /** An answer without message to the latest ping leads to a probe. */
  #mayProbe = false;
  #toProbe: Address | undefined;
  #probed: Address | undefined;
  #probe: SendFlow | undefined;
  #probeSequence = 0;

  /** @param movedAt time (ms) at which the current address was proved */
  constructor(context: Context, sessionId: number, movedAt: number) {
    this.#context = context;
    this.#sessionId = sessionId;
    this.#movedAt = movedAt;
  }

  /** Whether {@link write} has something to write. */
  get due(): boolean {
    return this.#toAsk !== undefined || this.#toProbe !== undefined;
  }

  /**
   * A packet of the session arrived from a new address.
   *
   * @returns whether a ping is due
   */
  notice(from: Address): boolean {
    const { now } = this.#context;
    if (now - this.#askedAt < ASK_INTERVAL) return false;
    this.#toAsk = this.#asked = { hostname: from.hostname, port: from.port };
    this.#askedAt = now;
    this.#mayProbe = true;
    return true;
  }

  /**
   * Writes a ping into a packet, or a probe by the first flow that can.
   *
   * @returns the destination of the packet; undefined if nothing was written
   */
  write(to: Writer, flows: readonly SendFlow[]): Address | undefined {
    const asked = this.#toAsk;
    this.#toAsk = undefined;
    if (asked) {
      writeChunk(to, ping, this.#question(asked));
      return asked;
    }
    const probed = this.#toProbe;
    this.#toProbe = undefined;
    if (!probed) return undefined;
    for (const flow of flows) {
      const sequence = flow.probe(to);
      if (sequence === 0) continue;
      this.#probed = probed;
      this.#probe = flow;
      this.#probeSequence = sequence;
      return probed;
    }
    return undefined;
  }

  /**
   * The far end has answered a ping.
   *
   * @param current address of the session
   * @returns whether that proves that the far end is at `from`
   */
  answer(message: Uint8Array, from: Address, current: Address): boolean {
    const { now } = this.#context;
    if (message.length === 0) {
      const near = from.hostname === current.hostname;
      if (near && this.#mayProbe && this.#asked && sameAddress(this.#asked, from)) {
        this.#toProbe = this.#asked;
        this.#mayProbe = false;
      }
      return false;
    }
    if (message.length !== 1 + TIME + DIGEST || message[0] !== MARK) return false;
    const time = new DataView(message.buffer, message.byteOffset + 1).getFloat64(0);
    if (!(time > this.#movedAt && time <= now && now - time <= ANSWER_LIFETIME)) return false;
    const digest = message.subarray(1 + TIME);
    if (equalBytes(digest, this.#digest(time, from))) return true;
    if (this.#asked && equalBytes(digest, this.#digest(time, this.#asked))) this.moved();
    return false;
  }

  /** Whether an acknowledgement proves that the far end is at `from`. */
  acknowledged(ack: Ack, from: Address): boolean {
    if (!this.#probed || this.#probe!.id !== ack.flowId) return false;
    if (!this.#probe!.provesProbe(this.#probeSequence, ack)) return false;
    if (sameAddress(this.#probed, from)) return true;
    this.moved();
    return false;
  }

  /**
   * Invalidates the answers to all earlier pings: the session has moved, or an answer came from another
   * address, so that somebody relays packets and can copy the answer.
   */
  moved(): void {
    this.#movedAt = this.#context.now;
    this.#asked =
      this.#toAsk =
      this.#toProbe =
      this.#probed =
      this.#probe =
        undefined;
    this.#probeSequence = 0;
  }

  /** The message of the ping to a new address. */
  #question(address: Address): Uint8Array {
    const time = Math.floor(this.#context.now);
    return new Writer(1 + TIME + DIGEST).u8(MARK).f64(time).bytes(this.#digest(time, address))
      .copy();
  }

  #digest(time: number, { hostname, port }: Address): Uint8Array {
    const message = new Writer(48).u32(this.#sessionId).f64(time).u16(port)
      .bytes(ipBytes(hostname) ?? NOWHERE).view();
    return this.#context.addressHmac.digest(message, 0, message.length).subarray(0, DIGEST);
  }
}
