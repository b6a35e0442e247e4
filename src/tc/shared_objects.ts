// Shared objects of one connection: SO-005, SO-010 to SO-040, SO-087.
import { AmfReader, AmfWriter } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Client } from "../media/client.ts";
import type { SharedObject } from "../media/shared_object.ts";
import type { SharedObjectUpdate, SharedObjectUser } from "../media/shared_object_queue.ts";
import type { SharedObjects } from "../media/shared_objects.ts";
import { type Message, MessageType } from "./format/messages.ts";
import {
  readSharedObject,
  type SharedObjectEvent,
  type SharedObjectMessage,
} from "./format/shared_object.ts";
import { updateMessage } from "./shared_object_updates.ts";

/** Markers of strings in AMF0. */
const STRING_MARKERS = new Set([0x02, 0x0c]);
/** AMF0 undefined: as a value it deletes the slot. SO-033. */
const UNDEFINED = 0x06;

/** Maximum number of bytes waiting for a client at which it may request all of an object again. */
const MAX_WAITING = 1 << 20;

/** The part of a connection that {@link ClientSharedObjects} uses. */
export interface SharedObjectHost {
  readonly client: Client;
  readonly objectEncoding: 0 | 3;
  /** Bytes that wait for the client. */
  readonly waiting: number;
  /** Writes in order with commands. */
  sendShared(message: Message): void;
}

/** The shared objects of one client: its requests and the events it gets. */
export class ClientSharedObjects implements SharedObjectUser {
  readonly client: Client;

  constructor(readonly host: SharedObjectHost, readonly objects: SharedObjects) {
    this.client = host.client;
    this.client.sharedObjectUser = this;
  }

  /**
   * A message of type 16 or 19. All its events are one group of changes: SO-071.
   * @throws {WireError} if it is malformed, without any effect
   */
  receive({ type, payload }: Message): void {
    const { events: limit } = this.objects.bounds;
    const message = readSharedObject(payload, type === MessageType.sharedObjectAmf3, limit);
    const { name, persistent } = message;
    let object = this.objects.usedBy(this, name, persistent);
    object?.begin();
    let asked = false; // all of the object: once per message
    try {
      for (const event of message.events) {
        if (this.client.state !== "connected") return; // a script has disconnected it meanwhile
        if (event.type === "use") {
          if (asked || (object?.users.has(this) && this.host.waiting > MAX_WAITING)) continue;
          asked = true;
          const used = this.objects.use(this, name, persistent);
          if (!object) {
            object = used;
            object?.begin();
          }
        } else if (object) this.#run(object, event, message);
      }
    } finally {
      object?.end();
    }
  }

  /** Sends the pending events, before another message is written. SO-005. */
  flush(): void {
    this.objects.tell(this);
  }

  update(update: SharedObjectUpdate): void {
    this.host.sendShared(updateMessage(update, this.host.objectEncoding));
  }

  /** Ignores events that only servers send. */
  #run(object: SharedObject, event: SharedObjectEvent, { version }: SharedObjectMessage): void {
    const { objects } = this;
    switch (event.type) {
      case "release":
        return objects.release(this, object);
      case "requestChange": {
        const value = canonical(event.value, objects.bounds.value);
        if (!value) return objects.refuse(object, event.slot, this);
        objects.change(
          object,
          event.slot,
          value[0] === UNDEFINED ? undefined : value,
          this,
          version,
        );
        return;
      }
      case "requestRemove":
        objects.change(object, event.slot, undefined, this, version);
        return;
      case "sendMessage": {
        if (!object.users.has(this)) return;
        const values = canonicalCall(event.values, objects.bounds.send);
        if (!values) return object.status(this);
        objects.send(object, values, this);
      }
    }
  }
}

/**
 * Values in the canonical form, which objects compare and keep: AMF3 where there is a choice.
 *
 * @param length maximum length in bytes
 * @returns undefined if they are malformed or longer
 */
function canonical(values: Uint8Array, length: number): Uint8Array | undefined {
  return rewrite(values, length, new AmfWriter({ form: "amf3", length }));
}

/** A call in canonical form: its first value is the name of the handler, a string of AMF0. SO-021. */
function canonicalCall(values: Uint8Array, length: number): Uint8Array | undefined {
  const call = rewrite(values, length, new AmfWriter({ form: "amf0", length }));
  const marker = call?.[0];
  return marker !== undefined && STRING_MARKERS.has(marker) ? call : undefined;
}

/** Writes the first value in the form of the writer, later ones in AMF3. */
function rewrite(values: Uint8Array, length: number, to: AmfWriter): Uint8Array | undefined {
  try {
    const from = new AmfReader(values);
    while (!from.done) {
      from.read(to);
      to.form = "amf3";
    }
    const bytes = to.bytes();
    return bytes.length > 0 && bytes.length <= length ? bytes : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
