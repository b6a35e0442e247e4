import { NIL } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";

/** What clients are told whose application cannot be read. */
const UNAVAILABLE = "the application is not available";

/** Whether clients may come in: not where the file that decides about them failed or is unreadable. */
export class Admission {
  readonly #api: Api;
  readonly #application: LuaApplication;
  /** Why its clients are refused although it may be running: its files cannot be checked. */
  #barrier: string | undefined;

  constructor(api: Api, application: LuaApplication) {
    this.#api = api;
    this.#application = application;
  }

  /**
   * Refuses all clients until the next {@link unbar}: the file that decides about them is unreadable.
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
    this.#application.note("note", "clients are let in again");
  }

  get barred(): boolean {
    return this.#barrier !== undefined;
  }

  /**
   * Why the door is closed, if it is: main.lua failed or cannot be read, be it that of an application above whose
   * `onConnection` would be inherited.
   */
  get refusal(): string | undefined {
    const { state, failure, parent } = this.#application;
    if (state === "absent" && !this.barred) return undefined;
    if (this.barred) return UNAVAILABLE;
    if (failure) return this.#api.toldOf(failure);
    if (!parent || this.#defines("onConnection")) return undefined;
    return parent.admission.refusal === undefined ? undefined : UNAVAILABLE;
  }

  #defines(name: string): boolean {
    const isThere = this.#application.environment.pushOwn(this.#api.lua.key(name)) !== NIL;
    if (isThere) this.#api.lua.pop();
    return isThere;
  }
}
