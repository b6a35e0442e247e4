import type { Client } from "../../media/client.ts";
import type { Api } from "./api.ts";
import { client } from "./client.ts";
import { idOf } from "./id.ts";
import type { Binding } from "./binding.ts";

/** All clients that are connected, of all applications. API-201 to API-204. */
export const clients: Binding<ReadonlyMap<string, Client>, Api> = {
  name: "clients",
  get: { count: (clients) => clients.size },
  call: {
    ipairs: (clients, _args, api) => api.objects.tables.pushListWalk(values(clients, api)),
  },
  lookup(clients, args, api) {
    const id = idOf(args);
    if (id === undefined) {
      api.log("error", "cumulus.clients takes an id of 64 digits or 32 bytes");
      return null;
    }
    const found = clients.get(id);
    return found && api.objects.of(client, found);
  },
  pairs: (clients, api) => api.objects.tables.pushTable(objects(clients, api)),
  length: (clients) => clients.size,
};

function* values(clients: ReadonlyMap<string, Client>, api: Api) {
  for (const one of clients.values()) yield api.objects.of(client, one);
}

function* objects(clients: ReadonlyMap<string, Client>, api: Api) {
  for (const one of clients.values()) yield [one.id, api.objects.of(client, one)] as const;
}
