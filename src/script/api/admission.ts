import { NIL } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";

/** Error text for clients of an application whose files cannot be read. */
const UNAVAILABLE = "the application is not available";

/** Refuses the clients of an application while its main.lua, which decides about them, failed or is unreadable. */
export class Admission {
  readonly #api: Api;
  readonly #application: LuaApplication;
  /** Reason of {@link bar}; the application may be running. */
  #barrier: string | undefined;

  constructor(api: Api, application: LuaApplication) {
    this.#api = api;
    this.#application = application;
  }

  /**
   * Refuses all clients until the next {@link unbar}.
   *
   * @param reason logged if it differs from the last one; hidden from clients
   */
  bar(reason: string): void {
    if (this.#barrier === reason) return;
    this.#barrier = reason;
    this.#application.errors++;
    this.#application.lastError = { at: this.#api.host.epochTime(), text: reason };
    this.#application.note("error", `${reason}: clients are refused`);
  }

  unbar(): void {
    if (this.#barrier === undefined) return;
    this.#barrier = undefined;
    this.#application.note("note", "clients may connect again");
  }

  get barred(): boolean {
    return this.#barrier !== undefined;
  }

  /**
   * Error text for new clients, if they are refused: main.lua failed or cannot be read, or that of a parent whose
   * `onConnection` this application would inherit.
   */
  get refusal(): string | undefined {
    const { state, failure, parent } = this.#application;
    if (state === "absent" && !this.barred) return undefined;
    if (this.barred) return UNAVAILABLE;
    if (failure) return this.#api.clientText(failure);
    if (!parent || this.#defines("onConnection")) return undefined;
    return parent.admission.refusal === undefined ? undefined : UNAVAILABLE;
  }

  #defines(name: string): boolean {
    const isThere = this.#application.environment.pushOwn(this.#api.lua.key(name)) !== NIL;
    if (isThere) this.#api.lua.pop();
    return isThere;
  }
}
