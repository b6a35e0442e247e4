import type { Group } from "../../media/group.ts";
import type { Api } from "./api.ts";
import { client } from "./client.ts";
import type { Binding } from "./binding.ts";

/** A NetGroup. Its virtual members are not shown. API-310 to API-313. */
export const group: Binding<Group, Api> = {
  name: "group",
  get: {
    id: (group) => group.id,
    rawId: (group) => group.rawId,
    size: (group) => group.size,
    /** The same, under the name that it has in {@link groups}. */
    count: (group) => group.size,
  },
  call: {
    ipairs: (group, _args, api) => api.objects.tables.pushListWalk(objects(group, api)),
  },
  label: (group) => group.id,
  pairs: (group, api) => api.objects.tables.pushList(objects(group, api)),
  length: (group) => group.size,
  alive: (group, api) => api.hub.groups.get(group.id) === group || group === api.leaving,
};

function* objects(group: Group, api: Api) {
  for (const one of group.clients()) yield api.objects.of(client, one);
}
