import type { Client } from "./client.ts";
import type { Group } from "./group.ts";
import type { Publication } from "./publication.ts";

/** Events of publications and groups after a change, for other servers. */
export interface HubWatcher {
  /** A publisher has begun or ended; listeners may remain. */
  onPublished(publication: Publication): void;
  onUnpublished(publication: Publication): void;
  /** A listener was added or removed. */
  onListeners(publication: Publication): void;
  /** A client has joined a group, or left it. */
  onJoined(group: Group, client: Client): void;
  onLeft(group: Group, client: Client): void;
}
