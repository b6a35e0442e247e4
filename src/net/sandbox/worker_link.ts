// A worker with sockets, seen from the thread of scripts.
import { startWorker } from "./confined_worker.ts";
import type { Permission } from "./policy.ts";
import { type FromWorker, READ_WINDOW, type ToWorker, waitReply } from "./messages.ts";

/** Time (ms) for which an unneeded worker may send its remaining data. */
const LINGER = 10_000;
/** Maximum time (ms) per turn for events of sockets; further events wait for the next turn. */
const MAX_TURN = 2;
/** Minimum length (bytes) of a buffer that is transferred instead of copied. */
const MIN_TRANSFER = 4_096;
/** Number of processed bytes after which the worker is allowed to read as many more. */
const CREDIT_STEP = READ_WINDOW / 4;

/** One worker, and the receivers of its messages. */
export class WorkerLink {
  readonly #worker: ReturnType<typeof startWorker>;
  readonly #sockets = new Map<number, (message: FromWorker) => void>();
  #lastId = 0;
  #onEmpty: (() => void) | undefined;
  #outbox: ToWorker[] = [];
  /** Events of the worker that scripts have not received yet, from `#next` on. */
  #inbox: FromWorker[] = [];
  #next = 0;
  #ended = false;

  /** @param openTimeout maximum time (ms) that {@link ask} waits */
  constructor(net: Permission, readonly openTimeout: number, onEnd: () => void) {
    this.#worker = startWorker(net, (messages) => {
      const idle = this.#inbox.length === 0;
      if (idle) this.#inbox = messages;
      else for (const message of messages) this.#inbox.push(message);
      if (idle) this.#deliver();
    }, (error) => {
      onEnd();
      this.terminate();
      for (const [id, receive] of [...this.#sockets]) receive({ ev: "closed", id, error });
      this.#sockets.clear();
    });
  }

  /** Whether it has no sockets. */
  get idle(): boolean {
    return this.#sockets.size === 0;
  }

  add(receive: (message: FromWorker) => void, id = ++this.#lastId): number {
    this.#sockets.set(id, receive);
    return id;
  }

  remove(id: number): void {
    this.#sockets.delete(id);
    if (this.#onEmpty && this.#sockets.size === 0) this.#leave(this.#onEmpty);
  }

  /** Ends the worker after its last socket has closed; the caller adds no more. */
  retire(onEnd: () => void): void {
    this.#onEmpty = onEnd;
    if (this.#sockets.size === 0) this.#leave(onEnd);
  }

  /** Ends the worker after {@link LINGER}, as data of its last socket may still be in flight. */
  #leave(onEnd: () => void): void {
    const timer = setTimeout(() => {
      this.terminate();
      onEnd();
    }, LINGER);
    Deno.unrefTimer(timer as unknown as number);
  }

  /** Queues a message; all messages of a turn go in one post. */
  post(message: ToWorker): void {
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(message);
  }

  /** Sends a message at once, and waits for its answer. @returns the port, or the reason of a failure */
  ask(message: ToWorker & { reply: SharedArrayBuffer }): number | string {
    if (this.#ended) return "the worker of the sockets ended";
    this.post(message);
    this.#flush();
    return waitReply(message.reply, this.openTimeout);
  }

  terminate(): void {
    this.#ended = true;
    this.#worker.terminate();
  }

  #flush(): void {
    if (this.#outbox.length === 0 || this.#ended) return;
    const messages = this.#outbox;
    this.#outbox = [];
    const transfer = new Set<ArrayBufferLike>();
    for (const message of messages) {
      if (message.op !== "write" || message.bytes.length < MIN_TRANSFER) continue;
      const { buffer, byteLength } = message.bytes;
      if (buffer.byteLength === byteLength) transfer.add(buffer);
    }
    this.#worker.post(messages, [...transfer] as ArrayBuffer[]);
  }

  /** Delivers events to scripts within the time that clients can wait. An exception stops only its own event. */
  #deliver(): void {
    const end = performance.now() + MAX_TURN;
    const more = () => this.#next < this.#inbox.length && !this.#ended;
    try {
      while (more() && performance.now() < end) this.#tell(this.#inbox[this.#next++]!);
    } finally {
      if (more()) setTimeout(() => this.#deliver(), 0);
      else {
        this.#inbox = [];
        this.#next = 0;
      }
    }
  }

  #tell(message: FromWorker): void {
    if (message.ev === "ready") return;
    const receive = this.#sockets.get(message.id);
    if (receive) receive(message);
    else if (message.ev === "accepted") this.post({ op: "close", id: message.child }); // too late
  }
}

/** Reports to a worker how many of the bytes that a socket has read are processed. */
export class Credit {
  #read = 0;

  constructor(readonly link: WorkerLink, readonly id: number) {}

  done(bytes: number): void {
    this.#read += bytes;
    if (this.#read < CREDIT_STEP) return;
    this.link.post({ op: "credit", id: this.id, bytes: this.#read });
    this.#read = 0;
  }
}
