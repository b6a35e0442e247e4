import { equalBytes } from "../../bytes/equal.ts";
import { type Address, addressText } from "../../common/address.ts";
import { isLoopback, sourceKey } from "../../common/ip.ts";
import { type Certificate, readCertificate } from "../crypto/certificate.ts";
import {
  type Component,
  publicKeyIn,
  readComponent,
  SIGNATURE,
  writeResponderComponent,
} from "../crypto/component.ts";
import { Cookies } from "../crypto/cookie.ts";
import type { KeyPair } from "../crypto/dh.ts";
import { agreeOnProtection, answer, type Protection } from "../crypto/protection.ts";
import { deriveKeys, sessionCipher } from "../crypto/session_keys.ts";
import { cookieChange } from "../wire/cookie_change.ts";
import { type IIKeying, iiKeying } from "../wire/iikeying.ts";
import { rHello } from "../wire/rhello.ts";
import { riKeying } from "../wire/rikeying.ts";
import { Pages } from "../../bytes/pages.ts";
import type { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import type { Context } from "./context.ts";
import { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { Timed } from "./timer_wheel.ts";

/** Time (ms) for which an answer is kept for repetitions of its request. RFC 7016 §3.5.1.1.2. */
const ANSWER_LIFETIME = 95_000;
/** Time (ms) between two removals of expired answers. */
const SWEEP_INTERVAL = 5000;
/** Length of a Cookie Change in bytes, padding included. */
const COOKIE_CHANGE = 160;
/** Length of a SHA-256 in bytes. */
const DIGEST = 32;
/** Maximum share of the pending agreements for one source. */
const MAX_SHARE = 1 / 8;

/** A key agreement, pending or done. */
interface Handshake {
  /** SHA-256 of the initiator's certificate and component; after it the component of the answer. */
  record: Uint8Array;
  readonly at: number;
  /** The near id; 0 until the secret is computed. The session may end much earlier than this record. */
  session: number;
}

/** The result of a handshake besides its secret. */
interface Terms {
  readonly from: Address;
  readonly certificate: Certificate;
  readonly componentBytes: Uint8Array;
  readonly protection: Protection;
  readonly pair: KeyPair;
  readonly initiatorSessionId: number;
}

/**
 * The responder of handshakes. It remembers nothing about an initiator until that returns a cookie.
 * RFC 7016 §3.5.1.1.2.
 */
export class Responder implements Timed {
  due = Infinity;
  timerBefore: Timed | undefined;
  timerAfter: Timed | undefined;
  timerSlot = 0;
  readonly #context: Context;
  readonly #sessions: Sessions;
  readonly #cookies: Cookies;
  /** By session id and address of the initiator, in order of time. */
  readonly #handshakes = new Map<string, Handshake>();
  readonly #records = new Pages();
  readonly #asked = new Writer(512);
  #agreeing = 0;
  /** Number of pending agreements by source. */
  readonly #agreeingOf = new Map<string, number>();

  constructor(sessions: Sessions) {
    const { context } = sessions;
    this.#sessions = sessions;
    this.#context = context;
    this.#cookies = new Cookies(context.crypto, context.random);
  }

  /** Number of remembered handshakes. */
  get size(): number {
    return this.#handshakes.size;
  }

  /** Answers a hello. */
  sayHello(tag: Uint8Array, to: Address): void {
    const cookie = this.#cookies.make(to, this.#context.now);
    const { bytes: certificate } = this.#sessions.identity.certificate;
    this.#sessions.startup.send(rHello, { tag: tag.slice(), cookie, certificate }, 0, to);
  }

  /** Takes an IIKeying. */
  receiveKeying(payload: Reader, from: Address): void {
    const { counters, now, crypto } = this.#context;
    const keying = iiKeying.read(payload);
    const { initiatorSessionId } = keying;
    const cookie = this.#cookies.check(keying.cookie, from, now);
    if (cookie === "bad" || initiatorSessionId === 0) return counters.drop("cookie");
    if (cookie === "moved") {
      if (!this.#sessions.mayAnswer(from, COOKIE_CHANGE)) return counters.drop("limit");
      const oldCookie = keying.cookie.slice();
      const newCookie = this.#cookies.make(from, now);
      this.#sessions.startup.send(cookieChange, { oldCookie, newCookie }, initiatorSessionId, from);
      return;
    }
    const key = `${initiatorSessionId}@${addressText(from)}`;
    const digest = crypto.sha256(
      this.#asked.clear().bytes(keying.certificate).bytes(keying.component).view(),
    );
    const known = this.#handshakes.get(key);
    if (known && equalBytes(known.record.subarray(0, DIGEST), digest)) {
      return this.#repeat(known, keying, from);
    }
    const handshake: Handshake = { record: digest, at: now, session: 0 };
    if (!this.#begin(keying, from, key, handshake)) counters.drop("keying");
  }

  /** Forgets handshakes whose initiators do not repeat their request any more. */
  expire(): void {
    const { now, timers } = this.#context;
    for (const [key, { at }] of this.#handshakes) {
      if (now - at < ANSWER_LIFETIME) break;
      this.#handshakes.delete(key);
    }
    if (this.#handshakes.size > 0) timers.schedule(this, now + SWEEP_INTERVAL, now);
  }

  /** A repeated request: repeats the answer unless it is still being computed. */
  #repeat({ session, record }: Handshake, { initiatorSessionId }: IIKeying, from: Address): void {
    if (session === 0) return;
    if (!this.#sessions.isOpen(session)) return this.#context.counters.drop("unexpected");
    this.#answer(session, record.subarray(DIGEST), initiatorSessionId, from);
  }

  /** @returns false if no session can be opened */
  #begin(keying: IIKeying, from: Address, key: string, handshake: Handshake): boolean {
    const { crypto, counters, limits, timers, now } = this.#context;
    const certificateBytes = keying.certificate.slice(); // kept until the secret is computed
    const componentBytes = keying.component.slice();
    const certificate = readCertificate(crypto, certificateBytes);
    const component = readComponent(componentBytes);
    const farKey = publicKeyIn(certificate, component);
    if (!farKey || !this.#sessions.identity.has(farKey.group)) return false;
    const protection = agreeOnProtection(this.#sessions.identity.policy, component);
    if (!protection) return false;
    if (!this.#sessions.hasRoom(certificate, from)) return true;
    const source = sourceKey(from.hostname);
    const asked = this.#agreeingOf.get(source) ?? 0;
    const most = isLoopback(from.hostname) ? limits.agreements : limits.agreements * MAX_SHARE;
    if (this.#agreeing >= limits.agreements || asked >= most) {
      counters.drop("limit");
      return true;
    }
    if (!this.#sessions.admit(certificate, from)) return true;
    if (this.#handshakes.size >= 4 * limits.halfOpen) {
      const [oldest] = this.#handshakes.keys();
      if (oldest !== undefined) this.#handshakes.delete(oldest); // its initiator repeats its packet if it still waits
    }
    const pair = this.#sessions.identity.keyPair(farKey.group) ??
      this.#sessions.agreement.keyPair(farKey.group);
    this.#handshakes.delete(key); // the new one stands last
    this.#handshakes.set(key, handshake);
    timers.schedule(this, now + SWEEP_INTERVAL, now);
    this.#agreeing++;
    this.#agreeingOf.set(source, asked + 1);
    counters.agreements++;
    const { initiatorSessionId } = keying;
    const terms = { from, certificate, componentBytes, protection, pair, initiatorSessionId };
    this.#sessions.agreement.agree(pair, farKey.publicKey, (secret) => {
      this.#agreeing--;
      const left = this.#agreeingOf.get(source)! - 1;
      if (left > 0) this.#agreeingOf.set(source, left);
      else this.#agreeingOf.delete(source);
      if (this.#handshakes.get(key) !== handshake) return;
      if (!secret) counters.drop("keying");
      // Other handshakes may have taken the room meanwhile.
      if (secret && this.#sessions.hasRoom(certificate, from)) {
        this.#agreed(terms, handshake, secret);
      } else this.#handshakes.delete(key);
    });
    return true;
  }

  /** The secret is computed: opens the session, and answers. */
  #agreed(terms: Terms, handshake: Handshake, secret: Uint8Array): void {
    const { from, certificate, componentBytes, protection, pair, initiatorSessionId } = terms;
    const { crypto } = this.#context;
    const nearId = this.#sessions.newSessionId();
    const nearComponent = this.#component(protection, pair);
    const keys = deriveKeys(crypto, secret, componentBytes, nearComponent);
    const session = new Session(this.#context, {
      role: "responder",
      nearId,
      farId: initiatorSessionId,
      address: from,
      peerId: certificate.fingerprint,
      nearNonce: keys.responderNonce,
      farNonce: keys.initiatorNonce,
      cipher: sessionCipher(crypto, keys, protection, "responder"),
    });
    const record = this.#records.take(DIGEST + nearComponent.length);
    record.set(handshake.record);
    record.set(nearComponent, DIGEST);
    handshake.record = record;
    handshake.session = nearId;
    this.#sessions.add(session);
    this.#answer(nearId, nearComponent, initiatorSessionId, from);
  }

  #answer(nearId: number, component: Uint8Array, farId: number, to: Address): void {
    const reply = { responderSessionId: nearId, component, signature: SIGNATURE };
    this.#sessions.startup.send(riKeying, reply, farId, to);
  }

  #component(protection: Protection, pair: KeyPair): Uint8Array {
    const { policy, ephemeral } = this.#sessions.identity;
    const component: Component = {
      ...answer(policy, protection),
      ephemeralKey: ephemeral ? pair : undefined,
      randomness: ephemeral ? undefined : this.#context.random(64),
    };
    return writeResponderComponent(component);
  }
}
