/**
 * Lines up the flows of one stream: a receiver that has read a flow sync message on one of
 * `count` flows holds back the messages after it until the sync message has arrived on all of them.
 * RFC 7425 §5.2.
 */
export class FlowSync {
  readonly #groups = new Map<number, { count: number; flows: Set<SyncedFlow> }>();

  /** Adds a flow that a sync can hold back. */
  join(deliver: (message: Uint8Array) => void): SyncedFlow {
    return new SyncedFlow(this, deliver);
  }

  /** A sync message has arrived on a flow. Flows that have ended need none. */
  arrive(flow: SyncedFlow, id: number, count: number): void {
    let group = this.#groups.get(id);
    if (!group) this.#groups.set(id, group = { count, flows: new Set() });
    group.flows.add(flow);
    flow.waits = true;
    if (group.flows.size < group.count) return;
    this.#groups.delete(id); // ids may be used again
    for (const member of group.flows) member.waits = false;
    for (const member of group.flows) member.release();
  }

  /** A flow has ended: awaited sync messages need one flow fewer. */
  leave(flow: SyncedFlow): void {
    for (const [id, group] of this.#groups) {
      if (group.flows.has(flow)) continue;
      group.count--;
      if (group.flows.size < group.count) continue;
      this.#groups.delete(id);
      for (const member of group.flows) member.waits = false;
      for (const member of group.flows) member.release();
    }
  }
}

/** One flow of a {@link FlowSync}. */
export class SyncedFlow {
  /** Whether messages are held back. */
  waits = false;
  #held: Uint8Array[] = [];
  #ended: (() => void) | undefined;

  constructor(readonly sync: FlowSync, readonly deliver: (message: Uint8Array) => void) {}

  /** Takes a message, which may be a view: it is delivered now, or copied and held. */
  push(message: Uint8Array): void {
    if (this.waits) this.#held.push(message.slice());
    else this.deliver(message);
  }

  /** The message just delivered was a sync. */
  arrive(id: number, count: number): void {
    this.sync.arrive(this, id, count);
  }

  /** The flow has ended; `ended` is called after all held messages are delivered. */
  end(ended: () => void): void {
    this.#ended = ended;
    this.sync.leave(this);
    this.release();
  }

  /** Delivers held messages up to the next sync among them. */
  release(): void {
    while (!this.waits && this.#held.length > 0) this.deliver(this.#held.shift()!);
    if (!this.waits && this.#held.length === 0 && this.#ended) {
      const ended = this.#ended;
      this.#ended = undefined;
      ended();
    }
  }
}
