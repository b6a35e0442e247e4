import { findPeer, type Peer, sendToAll } from "../../cluster/roster.ts";
import { NUMBER } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import type { Binding } from "./binding.ts";
import { handlerOf, server } from "./server.ts";
import type { Args } from "./values.ts";

/** Some of the servers that are linked with this one. */
export interface Broadcaster {
  peers(): readonly Peer[];
}

/** All servers, or one side of them: in the order in which they connected. API-504 to API-508. */
export const broadcaster: Binding<Broadcaster, Api> = {
  name: "servers",
  get: {
    count: (some) => some.peers().length,
    initiators: (some, api) => sideOf(some, api, api.initiators),
    targets: (some, api) => sideOf(some, api, api.targets),
  },
  call: {
    ipairs: (some, _args, api) => api.objects.tables.pushListWalk(objects(some, api)),
    broadcast(some, args, api) {
      const handler = handlerOf(args, api);
      if (handler === undefined) return;
      sendToAll(some.peers(), handler, api.toAmf.encode(args.at, args.left));
    },
  },
  lookup: (some, args, api) => found(some, keyOf(args), api),
  other: (some, key, api) => typeof key === "number" ? found(some, key, api) : undefined,
  pairs: (some, api) => api.objects.tables.pushList(objects(some, api)),
  length: (some) => some.peers().length,
};

/** Only `servers` itself has sides. API-502, API-503 */
function sideOf(some: Broadcaster, api: Api, side: Broadcaster) {
  return some === api.servers ? api.objects.of(broadcaster, side) : undefined;
}

const keyOf = (args: Args): string | number => args.type === NUMBER ? args.number() : args.string();

function found(some: Broadcaster, key: string | number, api: Api) {
  const peer = findPeer(some.peers(), key);
  return peer && api.objects.of(server, peer);
}

function* objects(some: Broadcaster, api: Api) {
  for (const peer of some.peers()) yield api.objects.of(server, peer);
}
