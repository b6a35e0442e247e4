// [servers] and [bus].
import { parseTargets, type Target } from "../../cluster/targets.ts";
import { integer, list, oneOf, type Setting, text } from "../setting.ts";
import { rules } from "./rules.ts";

export const links = {
  "servers.port": integer(0, {
    min: 0,
    max: 65535,
    comment:
      "TCP port at which other CumulusServers may link to this one; 0 takes none. The link is\n" +
      "not encrypted: keep it inside a network you trust.",
  }),
  "servers.targets": {
    default: [],
    text: "",
    allowed: "host:port[?name=value&…], more of them separated by ;",
    comment: "Servers to link to: host:port[?name=value&…], separated by ; and tried every 10 s.",
    read: targets,
  } as Setting<readonly Target[]>,
  "servers.secret": text("", {
    secret: true,
    comment: "Where it is set, both ends of a link must prove that they know it.",
  }),
  "servers.allow": rules("*", "Addresses that may link to this server."),

  "bus.servers": list<string>([], {
    read: (entry) =>
      /^((nats|tls):\/\/)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?$/.test(entry) ? entry : undefined,
    allowed: "nats://host:port and tls://host:port",
    comment: "NATS servers on which CumulusServers meet and act as one: nats://host:port or\n" +
      "tls://host:port. Needs publicAddress. Without it there is no bus.",
  }),
  "bus.cluster": text("cumulus", {
    pattern: /^[a-z0-9-]{1,32}$/,
    allowed: "1 to 32 of a-z, 0-9 and -",
    comment: "Servers with the same cluster see each other.",
  }),
  "bus.user": text("", { comment: "User at the NATS servers." }),
  "bus.password": text("", { secret: true, comment: "Its password." }),
  "bus.credentials": text("", {
    comment:
      "Or a NATS credentials file (JWT and seed), or a file with the seed of an nkey (SU...).",
  }),
  "bus.ca": text("", {
    comment:
      "File with the certificates, in PEM form, that those of tls:// servers are checked by.",
  }),
  "bus.secret": text("", {
    secret: true,
    comment:
      "Where it is set, every message proves that its sender knows it: for a NATS that others use too.",
  }),
  "bus.properties": properties({
    comment: "What scripts of the others see of this server: name=value, separated by ;.",
  }),
  "bus.publications": oneOf(["auto", "on", "off"], "auto", {
    comment:
      "on: what is published at one server can be played at all, and a name is published once in\n" +
      "the cluster; off: names belong to their server; auto: on, unless [servers] targets is set.",
  }),
} satisfies Record<string, Setting<unknown>>;

/** `name=value` separated by `;`. */
function properties(words: { comment: string }): Setting<ReadonlyMap<string, string>> {
  return {
    ...words,
    default: new Map(),
    text: "",
    allowed: "name=value, more of them separated by ;",
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
