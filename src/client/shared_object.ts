import { AmfReader, type AmfValue } from "../amf/mod.ts";
import { concat } from "../bytes/concat.ts";
import { encodeValues, type ObjectEncoding } from "../tc/format/calls.ts";
import { type Message, MessageType } from "../tc/format/messages.ts";
import {
  type SharedObjectEvent,
  type SharedObjectMessage,
  writeSharedObject,
} from "../tc/format/shared_object.ts";
import { ConnectionError, StatusError } from "./status.ts";

/** A change of a slot, as in ActionScript's SyncEvent. SO-050. */
export interface SyncChange {
  /** `clear`: all slots were deleted, `success`: the own change was accepted, `delete`: the slot was deleted. */
  readonly code: "clear" | "change" | "success" | "delete";
  /** Name of the slot; absent for `clear`. */
  readonly name?: string;
}

/** Events for the owner of a shared object. */
export interface SharedObjectHandler {
  /** The changes of one message have been applied. */
  onSync?(changes: readonly SyncChange[]): void;
  /** A client or a script calls a function of all users of the object. */
  onCall?(handler: string, args: AmfValue[]): void;
  /** The server has refused something; its level is `error`. */
  onStatus?(code: string): void;
}

/** Interface of the connection for a shared object. */
export interface SharedObjectHost {
  readonly encoding: ObjectEncoding;
  sendShared(message: Message): void;
  forgetShared(object: SharedObject): void;
}

/** A remote shared object: slots with the same values for all its users. SO-010 to SO-053. */
export class SharedObject {
  /** The slots by name. Change them with {@link set} and {@link delete}. */
  readonly data = new Map<string, AmfValue>();
  handler: SharedObjectHandler;
  /** @throws {StatusError} if the server refuses @throws {ConnectionError} if the connection ends */
  readonly ready: Promise<SharedObject>;
  readonly #host: SharedObjectHost;
  #version = 0;
  #isUsed = false;
  #resolve!: (object: SharedObject) => void;
  #reject!: (error: Error) => void;
  /** Events of one message; see {@link together}. */
  #batch: SharedObjectEvent[] | undefined;

  constructor(
    host: SharedObjectHost,
    readonly name: string,
    readonly persistent: boolean,
    handler: SharedObjectHandler = {},
  ) {
    this.#host = host;
    this.handler = handler;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ready.catch(() => {}); // no unhandled rejection if the caller does not wait
    this.#send({ type: "use" });
  }

  /** The last received version of the object. */
  get version(): number {
    return this.#version;
  }

  /** Sets a slot for all; `undefined` deletes it. @throws {WireError} if it cannot be written */
  set(slot: string, value: AmfValue): void {
    const bytes = encodeValues(this.#host.encoding, [value]);
    this.#send({ type: "requestChange", slot, value: bytes });
    if (value === undefined) this.data.delete(slot);
    else this.data.set(slot, value);
  }

  /** Deletes a slot for all. */
  delete(slot: string): void {
    this.#send({ type: "requestRemove", slot });
    this.data.delete(slot);
  }

  /** Calls a function of all users of the object, including this client. @throws {WireError} as {@link set} */
  send(handler: string, ...args: AmfValue[]): void {
    const { encoding } = this.#host;
    const values = concat([encodeValues(0, [handler]), encodeValues(encoding, args)]);
    this.#send({ type: "sendMessage", values });
  }

  /** Sends all changes and calls of `action` as one message. */
  together(action: () => void): void {
    const outer = this.#batch;
    this.#batch ??= [];
    try {
      action();
    } finally {
      const events = this.#batch!;
      this.#batch = outer;
      if (!outer && events.length > 0) this.#send(...events);
    }
  }

  /** Stops using the object. */
  close(): void {
    this.#send({ type: "release" });
    this.#host.forgetShared(this);
    this.#reject(new ConnectionError(`${this.name} was closed`));
  }

  // Calls from the connection

  ended(reason: string): void {
    this.#reject(new ConnectionError(reason));
  }

  receive({ version, events }: SharedObjectMessage): void {
    const changes: SyncChange[] = [];
    const wasUsed = this.#isUsed;
    for (const event of events) {
      // Other events before it belong to an earlier use of the same name.
      if (!this.#isUsed && event.type !== "useSuccess" && event.type !== "status") continue;
      switch (event.type) {
        case "useSuccess":
          this.#isUsed = true;
          break;
        case "clear":
          this.data.clear();
          changes.push({ code: "clear" });
          break;
        case "change":
          this.data.set(event.slot, new AmfReader(event.value).readValue());
          changes.push({ code: "change", name: event.slot });
          break;
        case "success":
          changes.push({ code: "success", name: event.slot });
          break;
        case "remove":
          this.data.delete(event.slot);
          changes.push({ code: "delete", name: event.slot });
          break;
        case "sendMessage":
          this.#called(event.values);
          break;
        case "status":
          this.#reject(
            new StatusError({ level: event.level, code: event.code, description: "", info: null }),
          );
          this.handler.onStatus?.(event.code);
      }
    }
    if (this.#isUsed) this.#version = version;
    if (this.#isUsed && !wasUsed) this.#resolve(this);
    if (changes.length > 0) this.handler.onSync?.(changes);
  }

  #called(values: Uint8Array): void {
    const from = new AmfReader(values);
    const handler = from.done ? "" : from.readValue();
    const args: AmfValue[] = [];
    while (!from.done) args.push(from.readValue());
    this.handler.onCall?.(String(handler), args);
  }

  #send(...events: SharedObjectEvent[]): void {
    if (this.#batch) {
      this.#batch.push(...events);
      return;
    }
    const { name, persistent } = this;
    const amf3 = this.#host.encoding === 3;
    this.#host.sendShared({
      type: amf3 ? MessageType.sharedObjectAmf3 : MessageType.sharedObject,
      timestamp: 0,
      payload: writeSharedObject({ name, persistent, version: this.#version, events }, amf3),
    });
  }
}
