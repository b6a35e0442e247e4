import type { Address } from "../common/address.ts";
import { sleep } from "../common/wait.ts";
import type { DatagramSocket } from "../net/datagram_socket.ts";
import type { Outbox } from "../rtmfp/outbox.ts";

/** State machine that the loop drives, such as `Endpoint` of rtmfp. */
export interface Machine {
  receive(datagram: Uint8Array, from: Address, now: number): void;
  flush(now: number, out: Outbox): void;
  /** Time of the next `flush` if no datagram is received before. */
  readonly deadline: number;
}

interface LoopOptions {
  /** Monotonic time in ms. */
  readonly clock: () => number;
  /** Receives the time of each input before it is processed. */
  readonly setNow: (now: number) => void;
  /** Reports an exception that is a bug of the server; `from`: source of the datagram that caused it. */
  readonly bug: (what: string, error: unknown, from?: Address) => void;
}

/** Number of timers that ran, and sum and maximum of their lateness in ms. */
export interface Lag {
  timers: number;
  total: number;
  worst: number;
}

/** Milliseconds between two ticks. API-650. */
const TICK_INTERVAL = 2_000;
/** Minimum ms by which a deadline must be earlier than the timer to set the timer again. */
const MIN_EARLIER = 4;
/** Maximum datagrams of a batch that share one reading of the clock, which costs as much as a short datagram. */
const MAX_SAME_TIME = 16;
/** Maximum calls of `flush` in a row, which repeats after exceptions for the other sessions. */
const MAX_FLUSHES = 64;

/** Machine before {@link Loop.run}. */
const NOTHING: Machine = { receive() {}, flush() {}, deadline: Infinity };

/**
 * Owns clock and socket: processes all inputs of the server one after the other, and sends the output
 * after each batch.
 */
export class Loop {
  #lag: Lag = { timers: 0, total: 0, worst: 0 };
  #machine: Machine = NOTHING;
  #tick: () => void = () => {};
  readonly #socket: DatagramSocket;
  readonly #options: LoopOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #tickAt: number;
  /** Time of the last reading of the clock, and the number of datagrams that may still use it. */
  #now = 0;
  #sameTime = 0;
  #flushing = false;
  #stopped = false;

  constructor(socket: DatagramSocket, options: LoopOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#tickAt = options.clock();
  }

  get now(): number {
    return this.#options.clock();
  }

  /**
   * Runs until {@link stop}, which closes the socket.
   *
   * @param machine the machine to drive
   * @param tick called at once and every {@link TICK_INTERVAL}. API-650.
   */
  async run(machine: Machine, tick: () => void): Promise<void> {
    this.#machine = machine;
    this.#tick = tick;
    this.#wake();
    await this.#socket.serve({
      receive: (datagram, from) => this.#receive(datagram, from),
      settle: () => this.#settle(),
      writable: () => this.#settle(),
    });
  }

  /** Processes an input other than a datagram, such as of a script's socket; its output is sent soon. */
  input(what: string, action: () => void): void {
    if (this.#stopped) return;
    this.#sameTime = 0;
    this.#batchNow();
    this.#try(what, action);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#settle());
  }

  /** Sends datagrams while an input is being processed, instead of after it. */
  sendNow(write: (out: Outbox) => void): void {
    if (this.#stopped) return;
    write(this.#socket);
    this.#socket.flush();
  }

  /**
   * Stops ticking, and closes the socket when all posted datagrams are sent, at the latest after `within` ms.
   */
  async stop(within = 500): Promise<void> {
    if (this.#stopped) return;
    this.#settle();
    this.#stopped = true;
    clearTimeout(this.#timer);
    const deadline = this.#options.clock() + within;
    while (this.#socket.pending > 0 && this.#options.clock() < deadline) {
      await sleep(5);
    }
    this.#socket.close();
  }

  #receive(datagram: Uint8Array, from: Address): void {
    const now = this.#batchNow();
    try {
      this.#machine.receive(datagram, from, now);
    } catch (error) {
      this.#options.bug("Cannot receive a datagram", error, from);
    }
  }

  /** The time, which datagrams that were received together share. */
  #batchNow(): number {
    if (this.#sameTime === 0) {
      this.#now = this.#options.clock();
      this.#options.setNow(this.#now);
      this.#sameTime = MAX_SAME_TIME;
    }
    this.#sameTime--;
    return this.#now;
  }

  /** Ticks, sends due output, and schedules its next call. */
  #settle(): void {
    if (this.#stopped) return;
    this.#flushing = false;
    this.#sameTime = 0;
    const now = this.#batchNow();
    if (now >= this.#tickAt) {
      // Ticks missed during a stall are not repeated.
      this.#tickAt = Math.max(this.#tickAt + TICK_INTERVAL, now + TICK_INTERVAL / 2);
      this.#try("Cannot tick", this.#tick);
    }
    for (let i = 0; i < MAX_FLUSHES; i++) {
      if (this.#try("Cannot send", () => this.#machine.flush(now, this.#socket))) break;
    }
    this.#socket.flush();
    this.#sameTime = 0;
    this.#arm(now);
  }

  /** Sets the timer for all deadlines. An earlier timer stays: setting it costs more than waking too early. */
  #arm(now: number): void {
    const due = Math.min(this.#machine.deadline, this.#tickAt);
    if (due >= this.#timerAt - MIN_EARLIER) return;
    clearTimeout(this.#timer);
    this.#timerAt = Math.max(due, now);
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, Math.ceil(due - now)));
  }

  #wake(): void {
    if (this.#stopped) return;
    const now = this.#options.clock();
    if (this.#timerAt < Infinity) this.#noteLag(now - this.#timerAt);
    this.#timerAt = Infinity;
    this.#settle();
  }

  /** Takes the lateness noted since the last call. */
  takeLag(): Lag {
    const lag = this.#lag;
    this.#lag = { timers: 0, total: 0, worst: 0 };
    return lag;
  }

  #noteLag(late: number): void {
    const lag = this.#lag;
    lag.timers++;
    lag.total += Math.max(0, late);
    lag.worst = Math.max(lag.worst, late);
  }

  #try(what: string, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#options.bug(what, error);
      return false;
    }
  }
}
