import type { Hub } from "../media/hub.ts";
import type { Channel, ChannelHandler, Transport } from "./channel.ts";
import { CommandWriter, type WriterHost } from "./command_writer.ts";
import type { Message } from "./format/messages.ts";

/** Time (ms) in which a client that rejects the channel of stream 0 closes the session, if it hangs up. */
const HANG_UP_TIMEOUT = 1_000;
const NO_WRITERS: ReadonlySet<CommandWriter> = new Set();

/**
 * Output of a connection on message stream 0: its writers, messages held back for a while, and
 * replacement of a channel that the client has rejected.
 */
export class ControlOutput implements WriterHost {
  /** The main writer; its channel carries everything except messages of writers made by scripts. */
  readonly main: CommandWriter;
  /** The main writer was closed by the application: the session ends at the next tick. API-257. */
  mainClosed = false;
  readonly #transport: Transport;
  readonly #hub: Hub;
  readonly #handler: ChannelHandler;
  /** Called before every command. */
  readonly #before: () => void;
  /** Writers besides the main one; few clients have them. */
  #writers: Set<CommandWriter> | undefined;
  /** Time (ms) from which on the client's rejection of the main channel is not a hang-up. */
  #renewAt: number | undefined;
  /** Messages that wait for the answer to `connect`, or for the replacement of a rejected channel. */
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

  /** Opens an independent pipe to the client. API-256. */
  newWriter(): CommandWriter {
    const channel = this.#transport.open(0, "command");
    const writer = new CommandWriter(channel, this);
    (this.#writers ??= new Set()).add(writer);
    channel.handler = { onRejected: () => this.endWriter(writer) };
    return writer;
  }

  /** Writes a command, after the earlier changes of shared objects: SO-005. */
  send(writer: CommandWriter, message: Message, reliable: boolean): void {
    this.#before();
    this.write(writer, message, reliable);
  }

  /** Writes to a writer's channel, now or after {@link release}. */
  write(writer: CommandWriter, message: Message, reliable: boolean): void {
    this.renew();
    if (this.#held) this.#held.push(() => writer.channel.write(message, reliable));
    else writer.channel.write(message, reliable);
  }

  /** Holds back messages until {@link release}. */
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

  /** Sends the messages held back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) write();
  }

  /**
   * The client rejects the main channel. A client that hangs up closes the session next; librtmfp rejects
   * every flow with an unknown message, and stays: it gets another channel. rtmfp-wire trap 21.
   */
  rejected(): void {
    this.#renewAt = this.#hub.now + HANG_UP_TIMEOUT;
    this.hold();
  }

  /** Replaces the channel that a client has rejected, unless it has hung up. */
  renew(): void {
    if (this.#renewAt === undefined || this.#hub.now < this.#renewAt) return;
    this.#renewAt = undefined;
    this.main.channel = this.#openMain();
    this.release();
  }

  /** The transport is about to end: does not replace a rejected channel any more. */
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

  /** The transport has ended: later writes do nothing. */
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
