import type { Client } from "../../media/client.ts";
import type { ScriptError } from "../vm/script_error.ts";
import { withoutPositions } from "./place.ts";

/** What an application may refuse to a client. */
type Step = "connect" | "publish" | "record" | "play" | "call" | "share";

/** How often an application refused each step since the server started. */
export type RefusalCounts = { [step in Step]: number };

export const noRefusals = (): RefusalCounts => ({
  connect: 0,
  publish: 0,
  record: 0,
  play: 0,
  call: 0,
  share: 0,
});

/** A request of a client. */
export interface Request {
  readonly client: Client;
  readonly step: Step;
  /** The name of the stream, function or shared object; "" for `connect`. */
  readonly name: string;
}

/** The log's text about a request that was refused. */
export function refusalText({ client, step, name }: Request, reason: string): string {
  const refused = step === "connect" ? "is refused" : `may not ${step} ${name}`;
  return `${client.address} ${refused}${reason && `: ${reason}`}`;
}

/** What Lua and its libraries say of a fault. */
const FAULT = /^(attempt to |bad argument #|stack overflow)/;

/**
 * Whether a script refuses by an error: it called `error`, but not to pass on a fault that a `pcall` has caught.
 */
export const isRefusal = (error: ScriptError): boolean =>
  error.raised && !FAULT.test(withoutPositions(error));
