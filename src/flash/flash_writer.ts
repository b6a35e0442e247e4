import type { FlowWriter } from "../media/connection.ts";
import { writeStatus } from "../tc/format/commands.ts";
import { writeCommand } from "../tc/format/messages.ts";
import type { OutFlow } from "./transport.ts";

/** What a writer needs of its connection. */
export interface WriterHost {
  /** Sends now, or as soon as the answer to `connect` has been written (API-260). */
  send(flow: OutFlow, message: Uint8Array, reliable: boolean): void;
  /** {@link FlashWriter.close} was called. */
  onWriterClosed(writer: FlashWriter): void;
}

/** Commands on one flow with metadata TC 0. API-250 to API-260. */
export class FlashWriter implements FlowWriter {
  reliable = true;
  /** The call that is being processed. API-251. */
  #transaction = 0;
  #answered = false;
  #open = true;

  constructor(readonly flow: OutFlow, readonly host: WriterHost) {}

  get closed(): boolean {
    return !this.#open || this.flow.closed;
  }

  message(name: string | Uint8Array, values: Uint8Array): void {
    this.#send(writeCommand(name, 0, values));
  }

  result(values: Uint8Array): void {
    this.#answered = true;
    this.#send(writeCommand("_result", this.#transaction, values));
  }

  status(code: string, description = "", info?: Uint8Array): void {
    this.#send(writeStatus("status", `NetConnection.${code}`, description, info));
  }

  flush(): void {}

  close(): void {
    if (this.closed) return;
    this.#open = false;
    this.host.onWriterClosed(this);
  }

  /** Nothing is written any more: the flow or the session has ended. */
  end(): void {
    this.#open = false;
  }

  /**
   * Runs a call; what it answers is the answer to this transaction.
   * @returns whether it was answered
   */
  during(transaction: number, call: () => void): boolean {
    const before = this.#transaction;
    this.#transaction = transaction;
    this.#answered = false;
    try {
      call();
    } finally {
      this.#transaction = before;
    }
    return this.#answered;
  }

  #send(message: Uint8Array): void {
    if (!this.closed) this.host.send(this.flow, message, this.reliable);
  }
}
