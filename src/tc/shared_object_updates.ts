// Messages with changes for clients. Each change is encoded once per version of AMF, and messages are
// assembled from parts of that. SO-083.
import { toAmf0 } from "../amf/to_amf0.ts";
import { Writer } from "../bytes/writer.ts";
import type { SharedObjectChange, SharedObjectUpdate } from "../media/shared_object_queue.ts";
import { type Message, MessageType } from "./format/messages.ts";
import { writeSharedObjectEvent, writeSharedObjectHeader } from "./format/shared_object.ts";

/** AMF version; 0 for clients that read only AMF0. */
type Encoding = 0 | 3;
type Forms<T> = { [encoding in Encoding]?: T };

/** Approximate length of the rest of a message in bytes. */
const HEADER = 64;

const messages = new WeakMap<SharedObjectUpdate, Forms<Message>>();
const lists = new WeakMap<readonly SharedObjectChange[], Forms<EncodedChanges>>();

/** The message of an update, encoded once per version of AMF. */
export function updateMessage(update: SharedObjectUpdate, encoding: Encoding): Message {
  return formOf(messages, update, encoding, () => encode(update, encoding));
}

function formOf<K extends WeakKey, T>(
  all: WeakMap<K, Forms<T>>,
  key: K,
  encoding: Encoding,
  make: () => T,
): T {
  let forms = all.get(key);
  if (!forms) all.set(key, forms = {});
  return forms[encoding] ??= make();
}

function encode(update: SharedObjectUpdate, encoding: Encoding): Message {
  const amf3 = encoding === 3;
  const parts = update.runs.map(({ changes, from, to }) => ({
    encoded: formOf(lists, changes, encoding, () => new EncodedChanges(changes, encoding)),
    from,
    to,
  }));
  let length = HEADER;
  for (const { encoded, from, to } of parts) length += encoded.length(from, to);
  const writer = new Writer(length);
  writeSharedObjectHeader(writer, update, amf3);
  for (const { encoded, from, to } of parts) encoded.write(writer, from, to);
  return {
    type: amf3 ? MessageType.sharedObjectAmf3 : MessageType.sharedObject,
    timestamp: 0,
    payload: writer.copy(),
  };
}

/** The encoded events of a list of changes, extended on demand. */
class EncodedChanges {
  readonly #bytes = new Writer(256);
  /** End offset of each event. */
  readonly #ends: number[] = [];

  constructor(readonly changes: readonly SharedObjectChange[], readonly encoding: Encoding) {}

  /** Length in bytes of the events from one offset in the list up to another. */
  length(from: number, to: number): number {
    const { changes, encoding } = this;
    for (const change of changes.slice(this.#ends.length, to)) {
      const event = encoding === 3 ? change : inAmf0(change);
      if (event) writeSharedObjectEvent(this.#bytes, event);
      this.#ends.push(this.#bytes.at);
    }
    return this.#endOf(to) - this.#endOf(from);
  }

  write(writer: Writer, from: number, to: number): void {
    writer.part(this.#bytes.buffer, this.#endOf(from), this.#endOf(to));
  }

  /** End offset of the events before an offset in the list. */
  #endOf(at: number): number {
    return this.#ends[at - 1] ?? 0;
  }
}

/** A change for clients that read only AMF0; undefined if AMF0 cannot express its value. */
function inAmf0(change: SharedObjectChange): SharedObjectChange | undefined {
  switch (change.type) {
    case "change": {
      const value = toAmf0(change.value);
      return value && { ...change, value };
    }
    case "sendMessage": {
      const values = toAmf0(change.values);
      return values && { ...change, values };
    }
    default:
      return change;
  }
}
