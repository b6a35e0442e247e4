import type { Hub } from "../media/hub.ts";
import type { Channel, ChannelHandler, Transport } from "./channel.ts";
import { CommandWriter, type WriterHost } from "./command_writer.ts";
import type { Message } from "./format/messages.ts";

/** How long a client that rejects the channel of stream 0 has to close the session, if it hangs up. */
const HANG_UP_TIMEOUT = 1_000;
const NO_WRITERS: ReadonlySet<CommandWriter> = new Set();

/**
 * What a connection writes on message stream 0: its writers, what is held back for a while, and the
 * channel in place of one that the client has rejected.
 */
export class ControlOutput implements WriterHost {
  /** The main writer; its channel is that of everything but the writers of scripts. */
  readonly main: CommandWriter;
  /** The main writer was closed by the application: the session ends at the next tick. API-257. */
  mainClosed = false;
  readonly #transport: Transport;
  readonly #hub: Hub;
  readonly #handler: ChannelHandler;
  /** What goes before every message. */
  readonly #before: () => void;
  /** Besides the main one; few clients have others. */
  #writers: Set<CommandWriter> | undefined;
  /** When the client's rejection of the main channel is known to be no hang-up. */
  #renewAt: number | undefined;
  /** Messages that wait for the answer to `connect`, or for a channel in place of a rejected one. */
  #held: (() => void)[] | undefined;

  /**
   * Opens the channel of message stream 0.
   *
   * @param handler of that channel
   * @param before called before each command
   */
  constructor(transport: Transport, hub: Hub, handler: ChannelHandler, before: () => void) {
    this.#transport = transport;
    this.#hub = hub;
    this.#handler = handler;
    this.#before = before;
    this.main = new CommandWriter(this.#openMain(), this);
  }

  get writers(): ReadonlySet<CommandWriter> {
    return this.#writers ?? NO_WRITERS;
  }

  /** Bytes that wait in the channels of all writers. */
  get queuedBytes(): number {
    let bytes = this.main.channel.queuedBytes;
    for (const { channel } of this.writers) bytes += channel.queuedBytes;
    return bytes;
  }

  /** A pipe of its own to the client. API-256. */
  newWriter(): CommandWriter {
    const channel = this.#transport.open(0, "command");
    const writer = new CommandWriter(channel, this);
    (this.#writers ??= new Set()).add(writer);
    channel.handler = { onRejected: () => this.endWriter(writer) };
    return writer;
  }

  /** Writes a command, behind what happened to shared objects before it: SO-005. */
  send(writer: CommandWriter, message: Message, reliable: boolean): void {
    this.#before();
    this.write(writer, message, reliable);
  }

  /** Writes to a writer's channel, now or when what is held back goes. */
  write(writer: CommandWriter, message: Message, reliable: boolean): void {
    this.renew();
    if (this.#held) this.#held.push(() => writer.channel.write(message, reliable));
    else writer.channel.write(message, reliable);
  }

  /** Begins to hold back what is written, until {@link release}. */
  hold(): void {
    this.#held ??= [];
  }

  /** Runs an action whose messages are not held back. */
  unheld<T>(action: () => T): T {
    const held = this.#held;
    this.#held = undefined;
    try {
      return action();
    } finally {
      this.#held = held;
    }
  }

  /** What was held back goes out. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) write();
  }

  /**
   * The client rejects the main channel. One that hangs up closes the session next; librtmfp
   * rejects every flow that brings what it does not know, and stays: it gets another channel.
   * rtmfp-wire trap 21.
   */
  rejected(): void {
    this.#renewAt = this.#hub.now + HANG_UP_TIMEOUT;
    this.hold();
  }

  /** Opens a channel in place of the one that a client has rejected that stays. */
  renew(): void {
    if (this.#renewAt === undefined || this.#hub.now < this.#renewAt) return;
    this.#renewAt = undefined;
    this.main.channel = this.#openMain();
    this.release();
  }

  /** The transport is about to end: a rejected channel is not replaced any more. */
  keepChannel(): void {
    this.#renewAt = undefined;
  }

  onWriterClosed(writer: CommandWriter): void {
    if (writer === this.main) this.mainClosed = true;
    else this.endWriter(writer);
  }

  endWriter(writer: CommandWriter): void {
    writer.end();
    writer.channel.close();
    this.#writers?.delete(writer);
  }

  /** The transport is over: nothing is written any more. */
  end(): void {
    for (const writer of this.writers) writer.end();
    this.#writers = undefined;
    this.main.end();
    this.#held = undefined;
    this.#renewAt = undefined;
  }

  #openMain(): Channel {
    const channel = this.#transport.open(0, "command");
    channel.handler = this.#handler;
    return channel;
  }
}
