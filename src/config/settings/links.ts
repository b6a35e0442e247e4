// [servers] and [bus].
import { parseTargets, type Target } from "../../cluster/targets.ts";
import { integer, list, oneOf, type Setting, text } from "../setting.ts";
import { rules } from "./rules.ts";

export const links = {
  "servers.port": integer(0, {
    min: 0,
    max: 65535,
    comment:
      "TCP port for links from other CumulusServers; 0: none. Links are not encrypted: use them only\n" +
      "inside a network that you trust.",
  }),
  "servers.targets": {
    default: [],
    text: "",
    allowed: "host:port[?name=value&…], separated by ;",
    comment:
      "Servers to link to: host:port[?name=value&…], separated by ;. The server retries every 10 s.",
    read: targets,
  } as Setting<readonly Target[]>,
  "servers.secret": text("", {
    secret: true,
    comment: "If set, both ends of a link must prove that they know it.",
  }),
  "servers.allow": rules("*", "Addresses from which servers may link to this one."),

  "bus.servers": list<string>([], {
    read: (entry) =>
      /^((nats|tls):\/\/)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?$/.test(entry) ? entry : undefined,
    allowed: "nats://host:port and tls://host:port",
    comment:
      "NATS servers that connect CumulusServers to one cluster: nats://host:port or tls://host:port.\n" +
      "Requires publicAddress. Empty: no bus.",
  }),
  "bus.cluster": text("cumulus", {
    pattern: /^[a-z0-9-]{1,32}$/,
    allowed: "1 to 32 of a-z, 0-9 and -",
    comment: "Name of the cluster: servers with the same name see each other.",
  }),
  "bus.user": text("", { comment: "User name for the NATS servers." }),
  "bus.password": text("", { secret: true, comment: "Password for the NATS servers." }),
  "bus.credentials": text("", {
    comment:
      "Instead of user and password: a NATS credentials file (JWT and seed), or a file with the seed of\n" +
      "an nkey (SU...).",
  }),
  "bus.ca": text("", {
    comment: "PEM file with the CA certificates that verify tls:// servers.",
  }),
  "bus.secret": text("", {
    secret: true,
    comment:
      "If set, every message proves that its sender knows it. Set it if others use the same NATS\n" +
      "servers.",
  }),
  "bus.properties": properties({
    comment:
      "Properties of this server for scripts of the other servers: name=value, separated by ;.",
  }),
  "bus.publications": oneOf(["auto", "on", "off"], "auto", {
    comment:
      "on: clients of every server can play a publication of any server, and a name is published once in\n" +
      "the cluster; off: names belong to their server; auto: on, unless [servers] targets is set.",
  }),
} satisfies Record<string, Setting<unknown>>;

/** `name=value` separated by `;`. */
function properties(words: { comment: string }): Setting<ReadonlyMap<string, string>> {
  return {
    ...words,
    default: new Map(),
    text: "",
    allowed: "name=value, separated by ;",
    read(text) {
      const entries = text.split(";").map((entry) => entry.trim()).filter((entry) => entry);
      if (!entries.every((entry) => /^\w+\s*=/.test(entry))) return undefined;
      return new Map(entries.map((entry) => {
        const at = entry.indexOf("=");
        return [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
      }));
    },
  };
}

function targets(text: string): Target[] | undefined {
  try {
    return parseTargets(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
