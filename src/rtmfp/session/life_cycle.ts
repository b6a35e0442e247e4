import type { CloseReason } from "./handlers.ts";
import type { Session } from "./session.ts";

/** Time (ms) for which a closing session repeats its request. */
const CLOSE_TIMEOUT = 90_000;
/** Time (ms) for which a session closed by the far end answers repetitions. */
const FAR_CLOSE_LINGER = 19_000;
/** Time (ms) after which an initiator repeats its first packet: the responder starts only with one. */
const FIRST_PING_INTERVAL = 1000;
/** Minimum time (ms) between two pings. */
const PING_INTERVAL = 5000;
/** Maximum time (ms) that {@link LifeCycle.finish} waits for the far end. */
const FINISH_TIMEOUT = 5000;

/** Only an open session carries data. RFC 7016 §3.5.5. */
export type SessionState = "open" | "nearClose" | "farCloseLinger" | "closed";

/** The states of a session, and the times at which it is pinged, abandoned or closed. RFC 7016 §3.5.5. */
export class LifeCycle {
  state: SessionState = "open";
  /** A packet of the far end has arrived; a responder sends nothing before. */
  heard: boolean;
  #keepAlive: number;
  #forgotten = false;
  /** Time (ms) at which the state ends at the latest; for an open session after {@link finish}. */
  #stateUntil = Infinity;
  #idleSince = Infinity;
  readonly #session: Session;

  constructor(session: Session, heard: boolean) {
    this.#session = session;
    this.heard = heard;
    this.#keepAlive = session.context.limits.keepAlive;
  }

  /** The far end is pinged after this time without a packet, in ms. */
  get keepAlive(): number {
    return this.#keepAlive;
  }

  set keepAlive(milliseconds: number) {
    this.#keepAlive = milliseconds;
    if (this.state === "open") this.#session.wakeAt(this.deadline);
  }

  /** Asks the far end for a packet. */
  ping(): void {
    if (this.state !== "open" || !this.heard) return;
    this.#session.control.pingDue = true;
    this.#session.wake();
  }

  /** Time (ms) to call {@link expire} next. */
  get deadline(): number {
    const { context: { limits }, control, sending, receiving, createdAt, lastReceived } =
      this.#session;
    if (this.state === "closed") return Infinity;
    if (this.state !== "open") return Math.min(control.closeAt, this.#stateUntil);
    if (!this.heard) return createdAt + limits.opening;
    return Math.min(
      sending.alarm,
      sending.probeAt,
      receiving.ackAt,
      this.#nextPing,
      lastReceived + limits.silence,
      this.#idleSince + limits.idle,
      this.#stateUntil,
    );
  }

  /** Handles all time-outs due by now. */
  expire(): void {
    const { context: { now, limits }, control, lastReceived } = this.#session;
    if (this.state === "open") this.#expireOpen();
    else if (now >= this.#stateUntil) this.state = "closed";
    if (this.state === "closed" && !control.closeAckDue) return this.forget();
    if (this.heard && this.state === "open") {
      if (now >= this.#nextPing) control.pingDue = true;
      if (now - lastReceived >= limits.silence) return this.#end("closed", "timeout", false);
    }
    this.#session.wake();
    this.#session.wakeAt(this.deadline);
  }

  /** Closes in order. */
  close(reason: CloseReason): void {
    if (this.state !== "open") return;
    if (!this.heard) return this.#end("closed", reason, true);
    this.#session.control.closeAt = this.#session.context.now;
    this.#end("nearClose", reason, true);
  }

  /** Closes all flows, then the session once the far end has all written data, or after 5 s. */
  finish(): void {
    const { context, sending } = this.#session;
    if (this.state !== "open" || this.#finishing) return;
    this.#stateUntil = context.now + FINISH_TIMEOUT;
    for (const flow of [...sending.flows]) flow.close();
    this.#session.wakeAt(sending.flows.length > 0 ? this.#stateUntil : context.now);
    this.#session.wake();
  }

  /** The far end has acknowledged the end of a flow, perhaps the last that {@link finish} waits for. */
  flowEnded(): void {
    if (this.#finishing) this.#session.wakeAt(this.#session.context.now);
  }

  /** Drops the session, and tells the far end once. */
  abort(reason: CloseReason): void {
    if (this.state === "closed") return;
    this.#session.control.closeAckDue = this.heard && reason !== "overridden"; // otherwise there is no far end
    this.#end("closed", reason, false);
  }

  /** The far end requests to close. */
  onClose(): void {
    const { control } = this.#session;
    control.closeAckDue = true;
    this.#session.wake();
    if (this.state === "farCloseLinger") return;
    control.closeAt = Infinity;
    this.#end("farCloseLinger", "closed by peer", true);
  }

  /** The far end has confirmed the closing. */
  onCloseAck(): void {
    this.#end("closed", "closed by peer", true);
  }

  /** Removes the session: it is closed, and the far end knows. */
  forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    this.#session.control.closeAt = Infinity; // a flush may still be due, and the keys are freed now
    this.#session.onForgotten();
  }

  get #finishing(): boolean {
    return this.state === "open" && this.#stateUntil < Infinity;
  }

  get #nextPing(): number {
    const { control: { pingedAt }, roundTrip, packetsIn, createdAt, lastReceived } = this.#session;
    // Unacknowledged data already make the far end answer.
    const { flight, flows } = this.#session.sending;
    if (flight.outstanding > 0 || flows.some((flow) => flow.ready)) return Infinity;
    if (packetsIn === 0) return Math.max(createdAt, pingedAt) + FIRST_PING_INTERVAL;
    return Math.max(
      lastReceived + this.#keepAlive,
      pingedAt + Math.max(PING_INTERVAL, roundTrip.timeout),
    );
  }

  #expireOpen(): void {
    const { context: { now, limits }, sending, receiving, createdAt } = this.#session;
    if (!this.heard) {
      if (now >= createdAt + limits.opening) this.#end("closed", "timeout", false);
      return;
    }
    if (sending.expire() >= limits.unacknowledged) return this.abort("no acknowledgement");
    receiving.forget();
    const idle = sending.flows.length === 0 && receiving.open === 0;
    if (!idle) this.#idleSince = Infinity;
    else if (this.#idleSince === Infinity) this.#idleSince = now;
    else if (now - this.#idleSince >= limits.idle) return this.close("idle");
    if (this.#finishing && (now >= this.#stateUntil || sending.flows.length === 0)) {
      this.close("closed");
    }
  }

  /** Enters a state in which the session carries no data. */
  #end(state: Exclude<SessionState, "open">, reason: CloseReason, orderly: boolean): void {
    const session = this.#session;
    const wasOpen = this.state === "open";
    if (wasOpen) session.release();
    this.state = state;
    const linger = state === "nearClose" ? CLOSE_TIMEOUT : FAR_CLOSE_LINGER;
    this.#stateUntil = session.context.now + linger;
    session.wake();
    if (state !== "closed") session.wakeAt(this.deadline);
    else if (!session.control.closeAckDue) this.forget();
    if (wasOpen) session.onEnd(reason, orderly);
  }
}
