import type { Client } from "../../media/client.ts";
import type { Api } from "./api.ts";
import { flowWriter, writerOf } from "./flow_writer.ts";
import type { Binding } from "./binding.ts";

/** A client. API-210 to API-223; clients can call the functions that scripts add to it (API-230). */
export const client: Binding<Client, Api> = {
  name: "client",
  get: {
    id: (client) => client.id,
    rawId: (client) => client.rawId,
    address: (client) => client.address,
    protocol: (client) => client.connection.protocol, // DECISIONS 24
    flashVersion: (client) => client.flashVersion,
    pageUrl: (client) => client.pageUrl,
    swfUrl: (client) => client.swfUrl,
    path: (client) => client.path,
    ping: (client) => Math.round(client.ping),
    elapsedFromReception: (client) => Math.round(client.elapsedFromReception),
    writer: (client, api) => api.objects.of(flowWriter, writerOf(api, client)),
  },
  /** Parameters of the URL. API-220 */
  other: (client, name) => typeof name === "string" ? client.properties.get(name) : undefined,
  label: (client) => client.id,
  parts: (client) => [client.connection.writer],
};
