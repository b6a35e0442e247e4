import type { AmfValue } from "../../amf/mod.ts";
import { UsageError } from "../../common/arguments.ts";
import { NetConnection } from "../net_connection.ts";
import type { SharedObject, SyncChange } from "../shared_object.ts";
import { ConnectionError, StatusError } from "../status.ts";
import { parseRtmfpUrl } from "../url.ts";
import { answerWithin } from "./answer.ts";
import { type Arguments, type Command, operand } from "./arguments.ts";
import { connectionOptions, parseJson, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { fromJson, type Json, JSON_NOTES, toJson } from "./json.ts";

export const shared: Command = {
  name: "shared",
  operands: "URL NAME [ACTION ...]",
  count: [2, Infinity],
  summary:
    "Uses a remote shared object of the application at URL. Without an action it prints the\n" +
    "slots as one JSON object.",
  options: {
    persistent: { help: "the object is a persistent one" },
    ...connectionOptions,
  },
  notes: `Actions:
  set SLOT JSON           sets a slot
  delete SLOT             deletes a slot
  send HANDLER [JSON...]  calls a function of all users of the object
  watch                   prints changes and calls, a JSON object a line, until Ctrl-C

The exit code is 1, and the error goes to standard error, if the server refuses.

${JSON_NOTES}

Example:
  client shared rtmfp://localhost/game users set tom '{"x": 10}'`,
};

/** An action on the object. */
type Action =
  | { readonly what: "print" | "watch" }
  | { readonly what: "set"; readonly slot: string; readonly value: AmfValue }
  | { readonly what: "delete"; readonly slot: string }
  | { readonly what: "send"; readonly handler: string; readonly values: AmfValue[] };

/** Runs the command. @returns the exit code */
export async function runShared(args: Arguments, print: (line: string) => void): Promise<number> {
  const target = parseRtmfpUrl(operand(args, 0));
  const name = operand(args, 1);
  const action = readAction(args.operands.slice(2));
  const options = { timeout: 10_000, ...readConnectionOptions(args) };
  const interrupt = action.what === "watch" ? new Interrupt() : undefined;
  const ending = Promise.withResolvers<never>();
  ending.promise.catch(() => {}); // the connection may end after the action
  const connection = await NetConnection.connect(target, {
    ...options,
    handler: { onClose: (reason) => ending.reject(new ConnectionError(reason)) },
  });
  try {
    const use = new Use(connection, name, args.options.has("persistent"), action, print);
    const wait = (promise: Promise<unknown>) =>
      answerWithin(options.timeout, Promise.race([promise, ending.promise]));
    await wait(use.object.ready);
    if (action.what === "print") print(JSON.stringify(slotsOf(use.object)));
    else if (interrupt) await Promise.race([interrupt.raised, ending.promise]);
    else await wait(use.change());
    use.object.close();
  } finally {
    interrupt?.release();
    await connection.close();
  }
  return 0;
}

/** The object during an action: prints its events for `watch`, and awaits the server's answer. */
class Use {
  readonly object: SharedObject;
  readonly #answer = Promise.withResolvers<void>();
  #sent = false;

  constructor(
    connection: NetConnection,
    name: string,
    persistent: boolean,
    readonly action: Action,
    readonly print: (line: string) => void,
  ) {
    this.#answer.promise.catch(() => {}); // the server may refuse before anything was sent
    this.object = connection.sharedObject(name, {
      persistent,
      handler: {
        onSync: (changes) => this.#onSync(changes),
        onCall: (handler, values) => this.#onCall(handler, values),
        onStatus: (code) => this.#onStatus(code),
      },
    });
  }

  /** Changes or sends. @returns settles with the server's answer @throws {StatusError} if it refuses */
  change(): Promise<void> {
    change(this.object, this.action);
    this.#sent = true;
    return this.#answer.promise;
  }

  #onSync(changes: readonly SyncChange[]): void {
    const { action } = this;
    if (action.what === "watch") {
      for (const change of changes) this.print(lineOf(change, this.object));
    }
    const slot = "slot" in action ? action.slot : undefined;
    if (this.#sent && changes.some(({ name }) => name === slot)) this.#answer.resolve();
  }

  #onCall(handler: string, values: readonly AmfValue[]): void {
    if (this.action.what === "watch") this.print(callLine(handler, values));
    this.#answer.resolve(); // the server sends a call back to its sender
  }

  #onStatus(code: string): void {
    const status = { level: "error", code, description: "", info: null };
    this.#answer.reject(new StatusError(status));
  }
}

/** Sets or deletes a slot, or sends a call to all clients of the object. */
function change(object: SharedObject, action: Action): void {
  if (action.what === "set") object.set(action.slot, action.value);
  else if (action.what === "delete") object.delete(action.slot);
  else if (action.what === "send") object.send(action.handler, ...action.values);
}

const callLine = (handler: string, values: readonly AmfValue[]): string =>
  JSON.stringify({ code: "call", handler, values: values.map((one) => toJson(one)) });

function slotsOf({ data }: SharedObject): { [slot: string]: Json } {
  return Object.fromEntries([...data].map(([slot, value]) => [slot, toJson(value)]));
}

/** A change as `watch` prints it. */
function lineOf({ code, name }: SyncChange, { data }: SharedObject): string {
  if (name === undefined) return JSON.stringify({ code });
  if (code !== "change") return JSON.stringify({ code, slot: name });
  return JSON.stringify({ code, slot: name, value: toJson(data.get(name)) });
}

/** @throws {UsageError} if the action is unknown or its operands are wrong */
function readAction([what = "print", ...operands]: string[]): Action {
  const json = (text: string, i: number) => fromJson(parseJson(text, `Argument ${i + 1}`));
  const takes = (words: string) => new UsageError(`"shared … ${what}" takes ${words}`);
  const [first, second, ...others] = operands;
  switch (what) {
    case "print":
    case "watch":
      if (first !== undefined) throw takes("nothing more");
      return { what };
    case "set":
      if (first === undefined || second === undefined || others.length > 0) {
        throw takes("SLOT JSON");
      }
      return { what, slot: first, value: json(second, 1) };
    case "delete":
      if (first === undefined || second !== undefined) throw takes("SLOT");
      return { what, slot: first };
    case "send":
      if (first === undefined) throw takes("HANDLER [JSON...]");
      return { what, handler: first, values: operands.slice(1).map(json) };
    default:
      throw new UsageError(`Unknown action ${what}: set, delete, send or watch`);
  }
}
