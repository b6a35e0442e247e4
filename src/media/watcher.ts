import type { Client } from "./client.ts";
import type { Group } from "./group.ts";
import type { Publication } from "./publication.ts";

/** Is told of publications and groups after they changed, for what other servers know of them. */
export interface HubWatcher {
  /** Somebody publishes, or does no more; listeners may have stayed. */
  onPublished(publication: Publication): void;
  onUnpublished(publication: Publication): void;
  /** A listener was added or removed. */
  onListeners(publication: Publication): void;
  /** A client has joined a group, or left it. */
  onJoined(group: Group, client: Client): void;
  onLeft(group: Group, client: Client): void;
}
