import { AmfReader, encodeAmf0 } from "../../amf/mod.ts";
import { concat } from "../../bytes/concat.ts";
import type { SharedObject } from "../../media/shared_object.ts";
import type { SharedObjectUser } from "../../media/shared_object_queue.ts";
import type { Api } from "./api.ts";
import { client } from "./client.ts";
import type { Binding } from "./binding.ts";
import { type Args, PUSHED } from "./values.ts";

/** A remote shared object. API-810 to API-818; scripts set its events as fields. */
export const sharedObject: Binding<SharedObject, Api> = {
  name: "sharedObject",
  get: {
    name: (object) => object.name,
    path: (object) => object.path,
    persistent: (object) => object.persistent,
    version: (object) => object.version,
    count: (object) => object.users.size,
    clients: (object, api) => api.objects.of(users, object.users),
    data: (object, api) => ({ push: () => pushSlots(object, api) }),
  },
  call: {
    get(object, args, api) {
      const value = object.get(args.string());
      if (value) pushValue(value, api);
      else api.lua.pushNil();
      return PUSHED;
    },
    set(object, args, api) {
      const slot = args.string();
      const value = args.absent ? undefined : api.toAmf.encode(args.at, 1);
      change(object, slot, value, api);
    },
    delete(object, args, api) {
      change(object, args.string(), undefined, api);
    },
    clear(object) {
      object.clear();
    },
    send(object, args, api) {
      const values = callOf(args, api);
      if (api.hub.sharedObjects.send(object, values)) return;
      api.log("error", `sharedObject:send: ${values.length} bytes exceed [sharedObjects] send`);
    },
    lock(object, _args, api) {
      api.locks.lock(object);
    },
    unlock(object, _args, api) {
      api.locks.unlock(object);
    },
    flush(object, _args, api) {
      api.hub.sharedObjects.store?.flush(object);
    },
    close(object, _args, api) {
      api.hub.sharedObjects.letGo(object);
    },
  },
  pairs: pushSlots,
  length: (object) => object.size,
  alive: (object, api) => api.hub.sharedObjects.has(object),
  dropped: (object, api) => api.hub.sharedObjects.letGo(object),
  parts: ({ users }) => [users],
};

/** The clients that use an object. API-811. */
const users: Binding<ReadonlySet<SharedObjectUser>, Api> = {
  name: "sharedObject.clients",
  get: { count: (users) => users.size },
  pairs: (users, api) => {
    api.objects.tables.pushTable(
      [...users].map(({ client: one }) => [one.id, api.objects.of(client, one)] as const),
    );
  },
  length: (users) => users.size,
};

/** Changes a slot. Logs changes that were refused, such as above the limits of SO-082. API-813, API-819. */
function change(object: SharedObject, slot: string, value: Uint8Array | undefined, api: Api): void {
  if (api.hub.sharedObjects.change(object, slot, value)) return;
  api.log("error", `sharedObject:set: slot "${slot}" of ${object.name} was not changed`);
}

/** The name of a handler in AMF0, and its arguments. SO-021. */
function callOf(args: Args, api: Api): Uint8Array {
  const handler = encodeAmf0(args.string());
  return concat([handler, api.toAmf.encode(args.at, args.left)]);
}

/** Pushes a table of copies of all slots. API-812. */
function pushSlots(object: SharedObject, api: Api): void {
  const { lua } = api;
  lua.reserve(4);
  lua.newTable(0, object.size);
  for (const slot of [...object.slots()]) {
    const value = object.get(slot);
    if (!value) continue;
    lua.pushText(slot);
    pushValue(value, api);
    lua.rawSet(-3);
  }
}

/** Pushes one value; nil for one that Lua cannot express. */
export function pushValue(value: Uint8Array, api: Api): void {
  if (api.fromAmf.push(new AmfReader(value), 1) === 0) api.lua.pushNil();
}
