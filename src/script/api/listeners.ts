import type { Listener } from "../../media/listener.ts";
import type { Api } from "./api.ts";
import { listener } from "./listener.ts";
import type { Binding } from "./binding.ts";

/** The listeners of a publication. API-430, API-431. */
export const listeners: Binding<ReadonlyMap<number, Listener>, Api> = {
  name: "listeners",
  get: { count: (listeners) => listeners.size },
  call: {
    ipairs: (listeners, _args, api) => api.objects.tables.pushListWalk(objects(listeners, api)),
  },
  pairs: (listeners, api) => api.objects.tables.pushList(objects(listeners, api)),
  length: (listeners) => listeners.size,
};

function* objects(listeners: ReadonlyMap<number, Listener>, api: Api) {
  for (const one of listeners.values()) yield api.objects.of(listener, one);
}
