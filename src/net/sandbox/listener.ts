import type { ListenEvents } from "../../common/socket_events.ts";
import { Connection } from "./connection.ts";
import type { Ledger } from "./ledger.ts";
import { ANY_ADDRESS, type FromWorker, REPLY_SIZE } from "./messages.ts";
import type { SocketHost } from "./socket_host.ts";
import type { WorkerLink } from "./worker_link.ts";

/** A TCP port of a script, listening on all addresses of the families that the policy allows. */
export class Listener {
  #id = 0;

  private constructor(
    readonly ledger: Ledger,
    readonly host: SocketHost,
    readonly worker: WorkerLink,
    readonly port: number,
    readonly events: ListenEvents,
  ) {}

  static open(ledger: Ledger, host: SocketHost, port: number, events: ListenEvents) {
    const worker = host.listening(port);
    if (typeof worker === "string") return worker;
    const listener = new Listener(ledger, host, worker, port, events);
    const id = worker.add((message) => listener.#receive(message));
    const reply = new SharedArrayBuffer(REPLY_SIZE);
    const rate = host.limits.acceptsPerSecond;
    const hostnames = ANY_ADDRESS.filter((ip) => host.policy.listen(ip, port));
    const outcome = worker.ask({ op: "listen", id, hostnames, port, rate, reply });
    if (typeof outcome === "string") {
      worker.remove(id);
      worker.post({ op: "close", id });
      return outcome;
    }
    listener.#id = id;
    ledger.opened(listener);
    return listener;
  }

  close(): void {
    if (this.#id === 0) return;
    const id = this.#id;
    this.#id = 0;
    // after stop() no connection is accepted, whichever worker listens next (SOCK-032)
    this.worker.ask({ op: "close", id, reply: new SharedArrayBuffer(REPLY_SIZE) });
    this.worker.remove(id);
    this.ledger.closed(this);
  }

  #receive(message: FromWorker): void {
    if (message.ev === "failed") this.events.onError(message.error);
    else if (message.ev === "closed") {
      this.close();
      this.events.onError(message.error ?? "the worker of the sockets ended");
    } else if (message.ev === "accepted") this.#accept(message);
  }

  #accept(message: FromWorker & { ev: "accepted" }): void {
    if (this.ledger.full()) {
      this.worker.post({ op: "close", id: message.child });
      return;
    }
    const connection = Connection.accepted(this.ledger, this.worker, message.child);
    const events = this.events.onAccept(connection, message.local, message.peer);
    if (events) connection.events = events;
    else connection.close();
  }
}
