import type { FlowWriter } from "../media/connection.ts";
import type { Channel } from "./channel.ts";
import { statusMessage } from "./format/commands.ts";
import { commandMessage, type Message } from "./format/messages.ts";

/** The part of a connection that a writer uses. */
export interface WriterHost {
  /**
   * Writes to the writer's channel now, or once the answer to `connect` has been written (API-260) or a
   * rejected channel was replaced.
   */
  send(writer: CommandWriter, message: Message, reliable: boolean): void;
  /** {@link CommandWriter.close} was called. */
  onWriterClosed(writer: CommandWriter): void;
}

/** Commands on one channel of message stream 0. API-250 to API-260. */
export class CommandWriter implements FlowWriter {
  reliable = true;
  /** Transaction of the call in progress, if any. API-251. */
  #transaction: number | undefined;
  #answered = false;
  #open = true;

  /** @param channel replaced if the client rejects it without closing the session */
  constructor(public channel: Channel, readonly host: WriterHost) {}

  get closed(): boolean {
    return !this.#open;
  }

  message(name: string | Uint8Array, values: Uint8Array): void {
    this.#send(commandMessage(name, 0, values));
  }

  result(values: Uint8Array): void {
    this.#answered = true;
    if (this.#transaction === 0) return; // the caller requests no answer
    this.#send(commandMessage("_result", this.#transaction ?? 0, values));
  }

  status(code: string, description = "", info?: Uint8Array): void {
    this.#send(statusMessage("status", `NetConnection.${code}`, description, info));
  }

  /** Sends the messages written so far before those of writers that are flushed later. API-254 */
  flush(full = true): void {
    this.channel.flush?.(full);
  }

  close(): void {
    if (this.closed) return;
    this.#open = false;
    this.host.onWriterClosed(this);
  }

  /** The channel or the session has ended: later calls do nothing. */
  end(): void {
    this.#open = false;
  }

  /**
   * Runs a call; a result it writes answers this transaction.
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

  #send(message: Message): void {
    if (!this.closed) this.host.send(this, message, this.reliable);
  }
}
