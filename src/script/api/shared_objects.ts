import type { SharedObject } from "../../media/shared_object.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Binding } from "./binding.ts";
import { sharedObject } from "./shared_object.ts";

/** The remote shared objects under an application's own path. API-801 to API-804. */
export const sharedObjects: Binding<LuaApplication, Api> = {
  name: "sharedObjects",
  get: { count },
  call: {
    get(application, args, api) {
      const name = args.string();
      const persistent = args.boolean();
      const object = api.hub.sharedObjects.hold(application, name, persistent);
      if (typeof object !== "string") return application.sharedObjects.keep(object);
      const kind = persistent ? "persistent " : "";
      api.log(
        "error",
        `cumulus.sharedObjects:get: cannot make the ${kind}object "${name}": ${object}`,
      );
      return null;
    },
  },
  lookup(application, args, api) {
    const name = args.string();
    const found = api.hub.sharedObjects.find(application.path, name, args.boolean());
    return found && api.objects.of(sharedObject, found);
  },
  pairs: (application, api) => api.objects.tables.pushTable(objects(application, api)),
  length: count,
};

/** Names and objects; of two with one name, the persistent one comes last and so replaces the temporary one. */
function* objects(application: LuaApplication, api: Api) {
  const all = [...api.hub.sharedObjects.all(application.path)];
  const byPersistence = (a: SharedObject, b: SharedObject) =>
    Number(a.persistent) - Number(b.persistent);
  for (const one of all.sort(byPersistence)) {
    yield [one.name, api.objects.of(sharedObject, one)] as const;
  }
}

function count(application: LuaApplication, api: Api): number {
  let count = 0;
  for (const _ of api.hub.sharedObjects.all(application.path)) count++;
  return count;
}
