/** A key of the configuration has a value it may not have; the server does not start. */
export class ConfigError extends Error {
  override name = "ConfigError";

  /**
   * @param name `section.key`, or `key` alone above the first section
   * @param value undefined if it is not to be shown
   */
  constructor(name: string, value: string | undefined, allowed: string, where?: string) {
    const dot = name.lastIndexOf(".");
    const key = dot < 0 ? name : `[${name.slice(0, dot)}] ${name.slice(dot + 1)}`;
    super(`${where ? `${where}: ` : ""}${key} = ${value ?? "…"}: expected ${allowed}`);
  }
}
