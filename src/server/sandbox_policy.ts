// Applies the lists under `[sandbox]` to the sockets and the mail of scripts. DECISIONS 21.
import { Reader } from "../bytes/reader.ts";
import { hostText } from "../common/address.ts";
import { ipText } from "../common/ip.ts";
import { type Policy, PORT_BLOCK } from "../net/sandbox/policy.ts";
import {
  type AddressRule,
  LOOPBACK,
  PRIVATE,
  type Range,
  SPECIAL,
} from "../config/address_rule.ts";
import { ConfigError, valueProblem } from "../config/config_error.ts";
import type { Config } from "../config/settings.ts";

type List = "sandbox.connect" | "sandbox.udp" | "sandbox.listen";

/** Entries after which Deno takes seconds to start a worker. */
const MOST_ENTRIES = 65_536;

/**
 * The policy as `net/sandbox` wants it.
 *
 * @throws {ConfigError} for a rule that cannot be told to Deno
 */
export function sandboxPolicy(
  config: Pick<Config, List>,
): Policy {
  const connect = new Door("sandbox.connect", config);
  const udp = new Door("sandbox.udp", config);
  const listen = new Door("sandbox.listen", config);
  return {
    connect: (ip, port, name) => connect.opens(ip, port, name),
    udp: (ip, port, name) => udp.opens(ip, port, name),
    listen: (ip, port) => listen.binds(ip, port),
    alone: (rule, ip, port) => !(rule === "connect" ? connect : udp).lists(ip, port),
    permissions: {
      get connect() {
        return connect.permission;
      },
      get udp() {
        return udp.permission;
      },
      listen: (ip, port) => listen.permissionOn(ip, port),
    },
  };
}

/** Whether scripts may send mail to an address. */
export function mayMail(rules: readonly string[], recipient: string): boolean {
  const address = recipient.toLowerCase();
  return rules.some((rule) =>
    rule === "*" || rule === address || (rule.startsWith("*@") && address.endsWith(rule.slice(1)))
  );
}

class Door {
  readonly #rules: readonly AddressRule[];
  readonly #everything: boolean;
  #permission: readonly string[] | undefined;

  constructor(name: List, config: Pick<Config, List>) {
    const rules = this.#rules = config[name];
    this.#everything = rules.some((rule) => rule.hosts.kind === "any" && isOpen(rule));
    let entries = 0;
    for (const rule of rules) {
      const hosts = hostsOf(rule);
      const { kind } = rule.hosts;
      if (name === "sandbox.listen" && hosts.length === 0) {
        const what = kind === "name" ? "addresses of this machine, no names" : "no IPv6 networks";
        throw new ConfigError([valueProblem(name, rule.text, what)]);
      }
      entries += hosts.length * (isOpen(rule) ? 1 : rule.to - rule.from + 1);
      if (entries > MOST_ENTRIES) {
        const most = `at most ${MOST_ENTRIES} pairs of range and port`;
        throw new ConfigError([valueProblem(name, rule.text, most)]);
      }
    }
  }

  /** In Deno's words; made when it is first asked for, as most servers need it never. */
  get permission(): readonly string[] | true {
    return this.#everything || (this.#permission ??= this.#list());
  }

  /** The ports of an address that are allowed around one, in Deno's words. */
  permissionOn(ip: string, port: number): string[] {
    const first = port - port % PORT_BLOCK;
    const entries = new Set<string>();
    for (const rule of this.#rules) {
      const from = Math.max(rule.from, first);
      const to = Math.min(rule.to, first + PORT_BLOCK - 1);
      if (from > to || !rule.matches(ip, from)) continue;
      for (let at = from; at <= to; at++) entries.add(`${hostText(ip)}:${at}`);
    }
    return [...entries];
  }

  #list(): string[] {
    const entries = new Set<string>();
    for (const rule of this.#rules) {
      for (const host of hostsOf(rule)) {
        if (isOpen(rule)) entries.add(host);
        else for (let port = rule.from; port <= rule.to; port++) entries.add(`${host}:${port}`);
      }
    }
    return [...entries];
  }

  opens(ip: string, port: number, name?: string): boolean {
    return this.#rules.some((rule) => rule.matches(ip, port, name));
  }

  /** Whether scripts may listen on an address; an IPv6 one needs a rule that names it, or `*`. */
  binds(ip: string, port: number): boolean {
    return this.#rules.some((rule) =>
      rule.matches(ip, port) &&
      (!ip.includes(":") || rule.hosts.kind === "any" || isListed(ip, rule))
    );
  }

  /** Whether an address is allowed by what Deno is told as well. */
  lists(ip: string, port: number): boolean {
    return this.#everything ||
      this.#rules.some((rule) =>
        rule.matches(ip, port) && (!ip.includes(":") || isListed(ip, rule))
      );
  }
}

/** Whether Deno is told of an IPv6 address that a rule holds for. */
function isListed(ip: string, { hosts }: AddressRule): boolean {
  if (hosts.kind === "range") return hosts.range.bits === 128;
  return hosts.kind === "loopback" && ip === "::1";
}

/** Whether a rule is about all ports. */
function isOpen({ from, to }: AddressRule): boolean {
  return from <= 1 && to === 65_535;
}

const ANY_IPV4 = "0.0.0.0/0";

/**
 * The hosts of a rule as Deno's `net` permission has them: no networks of IPv6, and no names, since
 * the worker sees the addresses that were checked and nothing else.
 */
function hostsOf({ hosts }: AddressRule): string[] {
  switch (hosts.kind) {
    case "any":
      return [ANY_IPV4];
    case "name":
      return [];
    case "public":
      return complement(SPECIAL).map(rangeText);
    case "private":
      return PRIVATE.filter(({ ip }) => ip.length === 4).map(rangeText);
    case "loopback":
      return LOOPBACK.map(rangeText);
    case "range":
      return hosts.range.ip.length === 16 && hosts.range.bits < 128 ? [] : [rangeText(hosts.range)];
  }
}

function rangeText({ ip, bits }: Range): string {
  if (ip.length === 16) return hostText(ipText(ip));
  return bits === 32 ? ipText(ip) : `${ipText(ip)}/${bits}`;
}

/** All IPv4 addresses outside of the given ranges, in as few ranges as possible. */
function complement(ranges: readonly Range[]): Range[] {
  const taken = ranges.filter(({ ip }) => ip.length === 4).map(({ ip, bits }) => {
    const first = new Reader(ip).u32();
    return { first, end: first + 2 ** (32 - bits) };
  }).sort((a, b) => a.first - b.first);
  const result: Range[] = [];
  let at = 0;
  for (const { first, end } of [...taken, { first: 2 ** 32, end: 2 ** 32 }]) {
    while (at < first) {
      let bits = 32;
      while (bits > 0 && at % 2 ** (33 - bits) === 0 && at + 2 ** (33 - bits) <= first) bits--;
      const ip = Uint8Array.of(at >>> 24, at >>> 16, at >>> 8, at);
      result.push({ ip, bits });
      at += 2 ** (32 - bits);
    }
    at = Math.max(at, end);
  }
  return result;
}
