import type { Application } from "./application.ts";

/**
 * An application has refused a client, a publisher or a listener (API-637, API-642, API-646), or an
 * RPC failed (API-706). Caught where the answer to the client is written.
 */
export class Refused extends Error {
  override name = "Refused";

  /** @param description text for the client; `""` leaves the standard text of API-702, 711, 715 */
  constructor(readonly description = "") {
    super(description || "Refused");
  }
}

/** An application is busy: doors that can retry call again once it is not. */
export class MustWait extends Refused {
  override name = "MustWait";

  constructor(readonly application: Pick<Application, "waits">) {
    super("the application is busy: try again");
  }
}

/** No application serves this path: API-703. */
export class UnknownApplication extends Error {
  override name = "UnknownApplication";

  constructor(readonly path: string) {
    super(`Application ${path} doesn't exist`);
  }
}

/** The name has a publisher already: API-710. */
export class NameTaken extends Error {
  override name = "NameTaken";

  constructor(readonly publication: string) {
    super(`${publication} is already published`);
  }
}
