import { equalBytes } from "../../bytes/equal.ts";
import type { Reader } from "../../bytes/reader.ts";
import { type Address, sameAddress } from "../../common/address.ts";
import { type Certificate, isSelected, prevails, readCertificate } from "../crypto/certificate.ts";
import {
  publicKeyIn,
  readComponent,
  SIGNATURE,
  writeInitiatorComponent,
} from "../crypto/component.ts";
import type { KeyPair } from "../crypto/dh.ts";
import { agreeOnProtection, offer } from "../crypto/protection.ts";
import { deriveKeys, sessionCipher } from "../crypto/session_keys.ts";
import { ChunkType } from "../wire/chunk.ts";
import { cookieChange } from "../wire/cookie_change.ts";
import { type Epd, readEpd } from "../wire/epd.ts";
import { iHello } from "../wire/ihello.ts";
import { type IIKeying, iiKeying } from "../wire/iikeying.ts";
import { redirect } from "../wire/redirect.ts";
import { rHello } from "../wire/rhello.ts";
import { riKeying } from "../wire/rikeying.ts";
import type { SessionHandler } from "./handlers.ts";
import { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Timed } from "./timer_wheel.ts";

/** Maximum number of addresses to try. RFC 7016 §3.5.1.1.1. */
const MAX_ADDRESSES = 24;
/** Time (ms) between the first two attempts, and by how much each later interval is longer. */
const FIRST_INTERVAL = 1000;
const INTERVAL_GROWTH = 1500;
/** Time (ms) after which an attempt that has given way to the far end's continues. */
const YIELD_TIMEOUT = 10_000;
const TAG_LENGTH = 16;

/** Events of an attempt to open a session. */
export interface InitiatorEvents {
  /** Maximum duration in ms; `opening` of the endpoint's limits by default. */
  readonly within?: number;
  /** The session is open. */
  onOpen(session: Session): SessionHandler;
  /** The attempt has failed. */
  onFail?(reason: InitiatorFailure): void;
}

export type InitiatorFailure =
  | "timeout"
  /** The far end offers no group or protection that this end can use. */
  | "keying"
  | "cancelled";

/** The initiator of one handshake. RFC 7016 §3.5.1.1.1. */
export class Initiator implements Timed {
  due = Infinity;
  timerBefore: Timed | undefined;
  timerAfter: Timed | undefined;
  timerSlot = 0;
  readonly tag: Uint8Array;
  readonly epd: Epd;
  readonly #sessions: Sessions;
  readonly #epd: Uint8Array;
  readonly #addresses: Address[] = [];
  #state: "hello" | "keying" | "over" = "hello";
  #startedAt = -1;
  #interval = FIRST_INTERVAL;
  #resendAt = Infinity;
  /** Address of the responder, once it has answered. */
  #responder: Address | undefined;
  #certificate: Certificate | undefined;
  #keying: IIKeying | undefined;
  #pair: KeyPair | undefined;
  #cookieChanged = false;
  #agreeing = false;
  #yieldedUntil = -Infinity;

  /** @param sessionId session id of packets to this end */
  constructor(
    sessions: Sessions,
    readonly sessionId: number,
    epd: Uint8Array,
    addresses: readonly Address[],
    readonly events: InitiatorEvents,
  ) {
    this.#sessions = sessions;
    this.#epd = epd.slice();
    this.epd = readEpd(this.#epd);
    this.tag = sessions.context.random(TAG_LENGTH);
    for (const { hostname, port } of addresses) this.#addAddress({ hostname, port });
  }

  get over(): boolean {
    return this.#state === "over";
  }

  /** Ends the attempt. */
  cancel(): void {
    this.#fail("cancelled");
  }

  /** Sends the first hellos; the clock of the context must be set. */
  start(): void {
    const { context } = this.#sessions;
    this.#startedAt = context.now;
    this.#send();
  }

  /** Repeats unanswered packets. */
  expire(): void {
    const { now } = this.#sessions.context;
    if (this.#state === "over") return;
    if (now >= this.#giveUpAt) return this.#fail("timeout");
    if (now >= this.#resendAt && now >= this.#yieldedUntil) this.#send();
    else this.#schedule();
  }

  /** Takes an RHello or Redirect; returns false if it answers another hello. */
  receiveAnswer(type: number, payload: Reader, from: Address): boolean {
    if (type === ChunkType.rHello) {
      const hello = rHello.read(payload);
      if (!equalBytes(hello.tag, this.tag)) return false;
      if (this.#state === "hello" && !this.#yielding) {
        this.#key(hello.cookie, hello.certificate, from);
      }
      return true;
    }
    const { tag, addresses } = redirect.read(payload);
    if (!equalBytes(tag, this.tag)) return false;
    if (this.#state !== "hello" || this.#yielding) return true;
    if (addresses.length === 0) this.#sayHello(from);
    for (const address of addresses) {
      if (address.port > 0 && this.#addAddress(address)) this.#sayHello(address);
    }
    return true;
  }

  /** Takes a packet for {@link sessionId}: an RIKeying or a Cookie Change. */
  receive(type: number, payload: Reader, from: Address): void {
    const { counters } = this.#sessions.context;
    if (this.#state !== "keying" || this.#yielding || !sameAddress(from, this.#responder!)) {
      return counters.drop("unexpected");
    }
    if (type === ChunkType.riKeying) return this.#finish(payload);
    if (type !== ChunkType.cookieChange) return counters.drop("unexpected");
    const { oldCookie, newCookie } = cookieChange.read(payload);
    if (this.#cookieChanged || !equalBytes(oldCookie, this.#keying!.cookie)) {
      return counters.drop("unexpected");
    }
    this.#cookieChanged = true;
    this.#keying = { ...this.#keying!, cookie: newCookie.slice() };
    this.#send();
  }

  /**
   * An endpoint to which this handshake is directed starts one itself: only one of the two continues.
   * RFC 7016 §3.5.1.3.
   *
   * @returns whether this one does; undefined if it is not directed to that endpoint
   */
  meets(certificate: Certificate, from: Address): boolean | undefined {
    const { context, identity } = this.#sessions;
    if (this.#state === "over" || !isSelected(this.epd, certificate)) return undefined;
    const directed = this.#responder
      ? sameAddress(from, this.#responder)
      : this.#addresses.some((address) => sameAddress(from, address));
    if (!directed) return undefined;
    if (this.#state === "keying" && prevails(identity.certificate.bytes, certificate.bytes)) {
      return true;
    }
    this.#yieldedUntil = context.now + YIELD_TIMEOUT;
    return false;
  }

  /** The far end's handshake has opened the session. */
  settle(): void {
    this.#state = "over";
  }

  /** It has given way to the far end's attempt. */
  get #yielding(): boolean {
    return this.#sessions.context.now < this.#yieldedUntil;
  }

  #addAddress({ hostname, port }: Address): boolean {
    const address = { hostname, port };
    if (this.#addresses.length >= MAX_ADDRESSES) return false;
    if (this.#addresses.some((known) => sameAddress(known, address))) return false;
    this.#addresses.push(address);
    return true;
  }

  #send(): void {
    const { startup, context } = this.#sessions;
    if (this.#state === "hello") {
      for (const address of this.#addresses) this.#sayHello(address);
    } else if (!this.#agreeing) {
      startup.send(iiKeying, this.#keying!, 0, this.#responder!);
    }
    this.#resendAt = context.now + this.#interval;
    this.#interval += INTERVAL_GROWTH;
    this.#schedule();
  }

  #sayHello(to: Address): void {
    this.#sessions.startup.send(iHello, { epd: this.#epd, tag: this.tag }, 0, to);
  }

  get #giveUpAt(): number {
    return this.#startedAt + (this.events.within ?? this.#sessions.context.limits.opening);
  }

  #schedule(): void {
    const { timers, now } = this.#sessions.context;
    const next = Math.max(this.#resendAt, this.#yieldedUntil);
    timers.schedule(this, Math.min(next, this.#giveUpAt), now);
  }

  /** The responder has answered: asks for a session. */
  #key(cookie: Uint8Array, certificateBytes: Uint8Array, from: Address): void {
    const { context, identity, agreement } = this.#sessions;
    const certificate = readCertificate(context.crypto, certificateBytes.slice());
    if (!isSelected(this.epd, certificate)) return context.counters.drop("discriminator");
    const group = identity.groupWith(certificate);
    if (group === undefined) return this.#fail("keying");
    const { ephemeral, policy } = identity;
    const pair = identity.keyPair(group) ?? agreement.keyPair(group);
    this.#certificate = certificate;
    this.#pair = pair;
    this.#responder = { hostname: from.hostname, port: from.port };
    this.#keying = {
      initiatorSessionId: this.sessionId,
      cookie: cookie.slice(),
      certificate: identity.certificate.bytes,
      component: writeInitiatorComponent({
        ...offer(policy),
        selectedGroup: ephemeral ? undefined : group,
        ephemeralKey: ephemeral ? pair : undefined,
        randomness: context.random(64),
      }),
      signature: SIGNATURE,
    };
    this.#state = "keying";
    this.#interval = FIRST_INTERVAL;
    this.#send();
  }

  /** The responder has agreed. */
  #finish(payload: Reader): void {
    const { context, identity, agreement } = this.#sessions;
    if (this.#agreeing) return;
    const { responderSessionId, component: bytes } = riKeying.read(payload);
    const componentBytes = bytes.slice();
    const component = readComponent(componentBytes);
    const certificate = this.#certificate!;
    const pair = this.#pair!;
    const farKey = publicKeyIn(certificate, component, pair.group);
    const protection = agreeOnProtection(identity.policy, component);
    if (responderSessionId === 0 || farKey?.group !== pair.group || !protection) {
      context.counters.drop("keying");
      return protection ? undefined : this.#fail("keying");
    }
    this.#agreeing = true;
    context.counters.agreements++;
    agreement.agree(pair, farKey.publicKey.slice(), (secret) => {
      this.#agreeing = false;
      if (this.#state === "over") return;
      if (!secret) return context.counters.drop("keying");
      const keys = deriveKeys(context.crypto, secret, this.#keying!.component, componentBytes);
      const session = new Session(context, {
        role: "initiator",
        nearId: this.sessionId,
        farId: responderSessionId,
        address: this.#responder!,
        peerId: certificate.fingerprint,
        nearNonce: keys.initiatorNonce,
        farNonce: keys.responderNonce,
        cipher: sessionCipher(context.crypto, keys, protection, "initiator"),
      });
      this.#end();
      this.#sessions.opened(this, session);
    });
  }

  #end(): void {
    this.#state = "over";
    this.#sessions.context.timers.cancel(this);
  }

  #fail(reason: InitiatorFailure): void {
    if (this.#state === "over") return;
    this.#end();
    this.#sessions.failed(this);
    this.events.onFail?.(reason);
  }
}
