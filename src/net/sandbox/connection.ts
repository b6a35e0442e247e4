import type { Tcp, TcpEvents } from "../../common/socket_events.ts";
import { type FromWorker, MESSAGE_COST } from "./messages.ts";
import type { Ledger } from "./ledger.ts";
import { Credit, type WorkerLink } from "./worker_link.ts";

/** One end of a TCP connection. */
export class Connection implements Tcp {
  readonly #ledger: Ledger;
  #events: TcpEvents | undefined;
  /** Its worker, once the address of the host is known. */
  #worker: WorkerLink | undefined;
  #id = 0;
  #closed = false;
  /** Data that a script wrote before it has a worker. */
  #early: Uint8Array[] = [];
  /** Number of bytes accepted and not written yet, and the number of their pieces. */
  #held = 0;
  #pieces = 0;
  #credit: Credit | undefined;

  constructor(ledger: Ledger, events: TcpEvents | undefined) {
    this.#ledger = ledger;
    this.#events = events;
    ledger.opened(this);
  }

  /** A connection that a worker has accepted. */
  static accepted(ledger: Ledger, worker: WorkerLink, child: number): Connection {
    const connection = new Connection(ledger, undefined);
    connection.#enter(worker, child);
    return connection;
  }

  #enter(worker: WorkerLink, id?: number): void {
    this.#worker = worker;
    this.#id = worker.add((message) => this.#receive(message), id);
    this.#credit = new Credit(worker, this.#id);
  }

  set events(events: TcpEvents) {
    this.#events = events;
  }

  get unsent(): number {
    return this.#held;
  }

  connect(worker: WorkerLink, hostname: string, port: number, timeout: number): void {
    if (this.#closed) return;
    this.#enter(worker);
    worker.post({ op: "connect", id: this.#id, hostname, port, timeout });
    for (const bytes of this.#early) worker.post({ op: "write", id: this.#id, bytes });
    this.#early = [];
  }

  fail(error: string): void {
    if (this.#closed) return;
    this.#end();
    this.#events?.onClose(error);
  }

  write(bytes: Uint8Array): string | undefined {
    if (this.#closed) return "the socket is closed";
    if (bytes.length === 0) return undefined;
    if (!this.#ledger.hold(bytes.length + MESSAGE_COST)) return "too many bytes wait to be sent";
    this.#held += bytes.length;
    this.#pieces++;
    if (this.#worker) this.#worker.post({ op: "write", id: this.#id, bytes });
    else this.#early.push(bytes);
    return undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#worker?.post({ op: "close", id: this.#id });
    this.#end();
  }

  #end(): void {
    this.#closed = true;
    this.#worker?.remove(this.#id);
    this.#early = [];
    this.#ledger.release(this.#held + this.#pieces * MESSAGE_COST);
    this.#held = this.#pieces = 0;
    this.#ledger.closed(this);
  }

  #receive(message: FromWorker): void {
    switch (message.ev) {
      case "open":
        this.#events?.onOpen(message.local, message.peer);
        break;
      case "data":
        this.#credit?.done(message.bytes.length + MESSAGE_COST);
        this.#events?.onData(message.bytes);
        break;
      case "written":
        this.#held -= message.bytes;
        this.#pieces--;
        this.#ledger.release(message.bytes + MESSAGE_COST);
        break;
      case "closed":
        this.#end();
        this.#events?.onClose(message.error);
        break;
    }
  }
}
