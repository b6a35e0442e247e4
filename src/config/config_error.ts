/** The configuration has invalid lines or values; the server does not start. */
export class ConfigError extends Error {
  override name = "ConfigError";

  /** @param problems one sentence per problem; at least one */
  constructor(readonly problems: readonly string[]) {
    super(
      problems.length === 1
        ? problems[0]
        : `${problems.length} errors in the configuration:\n${problems.join("\n")}`,
    );
  }
}

/**
 * The message about a value that its key does not allow.
 *
 * @param name `section.key`, or `key` alone above the first section
 * @param value undefined for a secret, which is not shown
 * @param where `file:line`
 */
export function valueProblem(
  name: string,
  value: string | undefined,
  allowed: string,
  where?: string,
): string {
  return `${where ? `${where}: ` : ""}${keyText(name)} = ${value ?? "…"}: expected ${allowed}`;
}

/** `[section] key`, or `key` alone above the first section. */
export function keyText(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? name : `[${name.slice(0, dot)}] ${name.slice(dot + 1)}`;
}
