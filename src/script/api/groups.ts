import { fromHex } from "../../bytes/hex.ts";
import type { Group } from "../../media/group.ts";
import type { Api } from "./api.ts";
import { group } from "./group.ts";
import { idOf } from "./id.ts";
import { member } from "./member.ts";
import type { Binding } from "./binding.ts";

/** All NetGroups. API-301 to API-305. */
export const groups: Binding<ReadonlyMap<string, Group>, Api> = {
  name: "groups",
  get: { count: (groups) => groups.size },
  call: {
    ipairs: (groups, _args, api) => api.objects.tables.pushListWalk(values(groups, api)),
    join(_groups, args, api) {
      const peer = idOf(args);
      const group = idOf(args);
      if (peer === undefined || group === undefined) {
        const which = peer === undefined ? "peer" : "group";
        api.log("error", `cumulus.groups:join takes a ${which} id of 64 digits or 32 bytes`);
        return undefined;
      }
      const joined = api.hub.groups.joinVirtual(fromHex(peer), fromHex(group));
      const owned = api.running?.owned;
      const one = { close: () => joined.release() };
      joined.onLeft = () => void owned?.delete(one);
      owned?.add(one);
      const object = api.objects.of(member, joined);
      api.objects.weaken(joined);
      return object;
    },
  },
  lookup(groups, args, api) {
    const id = idOf(args);
    if (id === undefined) {
      api.log("error", "cumulus.groups takes an id of 64 digits or 32 bytes");
      return null;
    }
    const found = groups.get(id);
    return found && api.objects.of(group, found);
  },
  pairs: (groups, api) => api.objects.tables.pushTable(objects(groups, api)),
  length: (groups) => groups.size,
};

function* values(groups: ReadonlyMap<string, Group>, api: Api) {
  for (const one of groups.values()) yield api.objects.of(group, one);
}

function* objects(groups: ReadonlyMap<string, Group>, api: Api) {
  for (const one of groups.values()) yield [one.id, api.objects.of(group, one)] as const;
}
