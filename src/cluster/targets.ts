// The list in `[servers] targets`: CLU-010, CLU-011.

/** A server to connect to. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** `host:port` as configured, without the query. */
  readonly address: string;
  readonly properties: ReadonlyMap<string, string>;
}

/**
 * Reads `host:port[?name=value&…]` entries separated by `;`; IPv6 hosts are in brackets.
 *
 * @throws {RangeError} naming an invalid entry
 */
export function parseTargets(text: string): Target[] {
  return text.split(";").map((entry) => entry.trim()).filter((entry) => entry !== "").map(
    (entry) => {
      const [, address, bracketed, plain = "", digits, query] =
        /^((?:\[([0-9a-fA-F:.]+)\]|([^\s:?\[\]]+)):(\d{1,5}))(?:\?(.*))?$/.exec(entry) ?? [];
      const port = Number(digits);
      if (address === undefined || port < 1 || port > 65535) {
        throw new RangeError(`"${entry}" is not host:port[?name=value&…]`);
      }
      return { host: bracketed ?? plain, port, address, properties: parseQuery(query ?? "") };
    },
  );
}

/** `name=value` pairs between `&`, `+` and `%XX` decoded; the first of duplicates wins (CLU-013). */
function parseQuery(query: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== "" && !properties.has(name)) properties.set(name, value);
  }
  return properties;
}

/** Key for comparing addresses, without case and surrounding blanks. */
export function addressKey(address: string): string {
  return address.trim().toLowerCase();
}
