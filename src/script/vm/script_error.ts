export type ScriptErrorKind = "runtime" | "syntax" | "memory" | "time";

/** A script failed. It is logged with file and line, and the application carries on (API-060). */
export class ScriptError extends Error {
  override name = "ScriptError";
  /** Where it happened, function by function; empty if unknown. */
  traceback = "";
  kind: ScriptErrorKind = "runtime";
  /** What the script gave to `error`, without position; the whole message if that is not known. */
  plain: string;

  constructor(message: string, kind: ScriptErrorKind = "runtime") {
    super(message);
    this.kind = kind;
    this.plain = message;
  }
}
