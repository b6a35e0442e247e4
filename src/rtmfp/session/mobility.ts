import { Writer } from "../../bytes/writer.ts";
import { equalBytes } from "../crypto/backend.ts";
import type { SendFlow } from "../flow/send_flow.ts";
import type { Ack } from "../wire/ack.ts";
import { type Address, ipBytes, sameAddress } from "../wire/address.ts";
import type { Context } from "./context.ts";

/** Between two questions to new addresses. */
const INTERVAL = 1000;
/** How long an answer counts. */
const LIFETIME = 120_000;
/** 'M', the length of the time, that of the digest. */
const MARK = 0x4d;
const TIME = 8;
const DIGEST = 16;
const NOWHERE = new Uint8Array(0);

/**
 * A session whose packets come from a new address, as behind a NAT that forgets, must not follow
 * before the far end has proved to be there: packets can be replayed from anywhere, and old ones
 * are not told from new ones unless they are numbered. RFC 7016 §3.5.4.2.
 *
 * The proof is the answer to a ping that nobody can guess, that holds for one address, and that was
 * sent since the session last moved, so that an answer moves it once at most. Clients of
 * Cumulus' time answer pings without repeating anything. They are sent a fragment with a new
 * sequence number which goes to the new address only: that they acknowledge it, from there, proves
 * the same.
 */
export class Mobility {
  readonly #context: Context;
  readonly #sessionId: number;
  #movedAt: number;
  #asked: Address | undefined;
  #askedAt = -Infinity;
  #toAsk: Address | undefined;
  #toProbe: Address | undefined;
  #probed: Address | undefined;
  #probe: SendFlow | undefined;
  #probeSequence = 0;

  /** @param movedAt when the address that is known was proved */
  constructor(context: Context, sessionId: number, movedAt: number) {
    this.#context = context;
    this.#sessionId = sessionId;
    this.#movedAt = movedAt;
  }

  /** Whether {@link takeAddressToAsk} or {@link takeAddressToProbe} has something. */
  get due(): boolean {
    return this.#toAsk !== undefined || this.#toProbe !== undefined;
  }

  /**
   * A packet of the session has come from a new address.
   *
   * @returns whether a question is due
   */
  notice(from: Address): boolean {
    const { now } = this.#context;
    if (now - this.#askedAt < INTERVAL) return false;
    this.#toAsk = this.#asked = { hostname: from.hostname, port: from.port };
    this.#askedAt = now;
    return true;
  }

  takeAddressToAsk(): Address | undefined {
    const address = this.#toAsk;
    this.#toAsk = undefined;
    return address;
  }

  takeAddressToProbe(): Address | undefined {
    const address = this.#toProbe;
    this.#toProbe = undefined;
    return address;
  }

  /** The message of the ping to a new address. */
  question(address: Address): Uint8Array {
    const time = Math.floor(this.#context.now);
    return new Writer(1 + TIME + DIGEST).u8(MARK).f64(time).bytes(this.#digest(time, address))
      .copy();
  }

  /**
   * A ping has been answered.
   *
   * @returns whether that proves that the far end is at `from`
   */
  answer(message: Uint8Array, from: Address): boolean {
    const { now } = this.#context;
    if (message.length === 0) {
      if (this.#asked && sameAddress(this.#asked, from) && now - this.#askedAt < LIFETIME) {
        this.#toProbe = this.#asked;
        this.#asked = undefined;
      }
      return false;
    }
    if (message.length !== 1 + TIME + DIGEST || message[0] !== MARK) return false;
    const time = new DataView(message.buffer, message.byteOffset + 1).getFloat64(0);
    if (!(time > this.#movedAt && time <= now && now - time <= LIFETIME)) return false;
    return equalBytes(message.subarray(1 + TIME), this.#digest(time, from));
  }

  /** A probe has gone out to an address: see {@link SendFlow.probe}. */
  probed(address: Address, flow: SendFlow, sequence: number): void {
    this.#probed = address;
    this.#probe = flow;
    this.#probeSequence = sequence;
  }

  /** Whether an acknowledgement proves that the far end is at `from`. */
  acknowledged(ack: Ack, from: Address): boolean {
    return this.#probed !== undefined && sameAddress(this.#probed, from) &&
      this.#probe!.id === ack.flowId && this.#probe!.provesProbe(this.#probeSequence, ack);
  }

  /** The session has moved: no answer to an earlier question moves it again. */
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

  #digest(time: number, { hostname, port }: Address): Uint8Array {
    const message = new Writer(48).u32(this.#sessionId).f64(time).u16(port)
      .bytes(ipBytes(hostname) ?? NOWHERE).view();
    return this.#context.addressHmac.digest(message, 0, message.length).subarray(0, DIGEST);
  }
}
