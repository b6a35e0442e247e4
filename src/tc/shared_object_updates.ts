// The messages in which clients are told of changes. Each change is encoded once for each form of AMF,
// and messages are put together of parts of that. SO-083.
import { toAmf0 } from "../amf/to_amf0.ts";
import { Writer } from "../bytes/writer.ts";
import type { SharedObjectChange, SharedObjectUpdate } from "../media/shared_object_queue.ts";
import { type Message, MessageType } from "./format/messages.ts";
import { writeSharedObjectEvent, writeSharedObjectHeader } from "./format/shared_object.ts";

/** 0: for who reads AMF0 alone. */
type Encoding = 0 | 3;
type Forms<T> = { [encoding in Encoding]?: T };

/** Bytes that the rest of a message takes, about. */
const HEADER = 64;

const messages = new WeakMap<SharedObjectUpdate, Forms<Message>>();
const lists = new WeakMap<readonly SharedObjectChange[], Forms<EncodedChanges>>();

/** The message of an update, made once for each form of AMF. */
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

/** The events of a list of changes, one behind the other, as far as they were asked for. */
class EncodedChanges {
  readonly #bytes = new Writer(256);
  /** Offset behind each event. */
  readonly #ends: number[] = [];

  constructor(readonly changes: readonly SharedObjectChange[], readonly encoding: Encoding) {}

  /** Bytes of the events from one offset in the list up to another. */
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

  /** Where the events before an offset in the list end. */
  #endOf(at: number): number {
    return this.#ends[at - 1] ?? 0;
  }
}

/** A change for who reads AMF0 alone, which is not told of values that AMF0 has no form for. */
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
