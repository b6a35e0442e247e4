import type { Publication } from "../../media/publication.ts";
import type { Api } from "./api.ts";
import type { Binding } from "./binding.ts";
import { publication } from "./publication.ts";

/** The live publications; names with only waiting listeners do not count. API-401 to API-404. */
export const publications: Binding<ReadonlyMap<string, Publication>, Api> = {
  name: "publications",
  get: { count: (_, api) => count(api) },
  call: {
    ipairs: (_, _args, api) => api.objects.tables.pushListWalk(values(api)),
  },
  lookup(publications, args, api) {
    const found = publications.get(args.string());
    return found?.publishing ? api.objects.of(publication, found) : undefined;
  },
  pairs: (_, api) => api.objects.tables.pushTable(objects(api)),
  length: (_, api) => count(api),
};

function* values(api: Api) {
  for (const one of api.hub.published()) yield api.objects.of(publication, one);
}

function* objects(api: Api) {
  for (const one of api.hub.published()) {
    yield [one.name, api.objects.of(publication, one)] as const;
  }
}

const count = (api: Api): number => [...api.hub.published()].length;
