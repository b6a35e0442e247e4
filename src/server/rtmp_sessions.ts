// Connects RTMP sessions with sockets of any kind.
import { type Address, addressText } from "../common/address.ts";
import type { DoorRow } from "../monitor/snapshot.ts";
import type { StreamEvents } from "../net/stream_socket.ts";
import { RtmpServer } from "../rtmp/rtmp_server.ts";
import type { RtmpSession, Wire } from "../rtmp/rtmp_session.ts";
import { Blocks } from "./blocks.ts";
import { hmacSha256 } from "./digests.ts";
import type { DoorHost } from "./doors.ts";
import { WritePacing } from "./pacing.ts";

/** Maximum bytes of one write, for a frame or two and for more; maximum unused blocks kept of each size. */
const SMALL_BLOCK = 8_192;
const LARGE_BLOCK = 65_536;
const MAX_SMALL_BLOCKS = 1_024;
const MAX_LARGE_BLOCKS = 64;
/** Interval (ms) of checks for time-outs. */
const MANAGE_INTERVAL = 500;

/** A TCP or TLS connection, or a WebSocket that carries the same bytes. */
interface ByteSocket {
  readonly peer: Address;
  /** Whether the last {@link write} has not ended. */
  readonly writing: boolean;
  start(events: StreamEvents): void;
  /**
   * @param length number of bytes to write, from the first on
   * @returns true: they are written; false: they must not change until `onWritten`
   */
  write(bytes: Uint8Array, length: number): boolean;
  /** Allows large messages, as the client is connected. */
  trust?(): void;
  /** Ends the connection after all written bytes are sent. */
  end(): void;
}

/** The RTMP sessions of one door. */
export class RtmpSessions {
  readonly server: RtmpServer;
  readonly #host: DoorHost;
  /** Connections with bytes to write, each once. */
  #dirty: SessionWire[] = [];
  /** Connections with more than media to write, each once. */
  #pressing: SessionWire[] = [];
  readonly #small = new Blocks(SMALL_BLOCK, MAX_SMALL_BLOCKS);
  readonly #large = new Blocks(LARGE_BLOCK, MAX_LARGE_BLOCKS);
  readonly #pacing = new WritePacing();
  #manageAt = Infinity;

  constructor(host: DoorHost) {
    this.#host = host;
    const config = host.config();
    this.server = new RtmpServer(host.hub, {
      hmac: hmacSha256,
      random: host.random,
      limits: {
        connections: config["rtmp.connections"] || Infinity,
        connectionsOfAddress: config["rtmp.connectionsOfAddress"] || Infinity,
        unconnected: config["rtmp.unconnected"],
        unconnectedOfAddress: config["rtmp.unconnectedOfAddress"],
      },
    });
  }

  flush(now: number): void {
    if (now >= this.#manageAt) {
      this.server.manage();
      this.#manageAt = this.server.size > 0 ? now + MANAGE_INTERVAL : Infinity;
    }
    while (this.#pressing.length > 0) this.#pumpPressing();
    if (this.#dirty.length === 0 || now < this.#pacing.next) return;
    while (this.#dirty.length > 0) this.#pumpDirty();
    this.#pacing.passed(now, this.#host.now(), this.server.size);
  }

  get deadline(): number {
    return this.#dirty.length > 0 ? Math.min(this.#manageAt, this.#pacing.next) : this.#manageAt;
  }

  /** Accepts a connection, or closes it at the limit. */
  accept(socket: ByteSocket, protocol: "rtmp" | "rtmps"): void {
    this.#host.input("Cannot accept an RTMP connection", () => {
      const wire = new SessionWire(this, socket);
      const { hostname } = socket.peer;
      const address = addressText(socket.peer);
      const session = this.server.accept(wire, { protocol, address, hostname });
      if (!session) return socket.end();
      wire.start(session);
      if (this.#manageAt === Infinity) this.#manageAt = this.#host.now() + MANAGE_INTERVAL;
    });
  }

  /** Counters for the monitor. */
  row(name: string): DoorRow {
    const { size: sessions, unconnected, counters: { accepted, closed } } = this.server;
    const limit = this.#host.config()["rtmp.connections"];
    return { name, sessions, unconnected, limit, accepted, closed, ...this.server.traffic() };
  }

  /** Closes all sessions normally, when the server stops. */
  close(): void {
    this.#host.input("Cannot close RTMP connections", () => this.server.close());
  }

  // For wires

  wake(wire: SessionWire): void {
    if (!wire.pressing && wire.session.pressing) {
      wire.pressing = true;
      this.#pressing.push(wire);
    }
    if (wire.dirty) return;
    wire.dirty = true;
    this.#dirty.push(wire);
  }

  release(block: Uint8Array): void {
    (block.length === SMALL_BLOCK ? this.#small : this.#large).give(block);
  }

  /** Processes input of a connection, or the end of a write. */
  input(what: string, action: () => void): void {
    this.#host.input(what, action);
  }

  /** Writes to all connections with waiting bytes. */
  #pumpDirty(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const wire of dirty) wire.dirty = false;
    this.#pumpAll(dirty);
  }

  /** Writes to connections with more than media, ahead of the next pass over all. */
  #pumpPressing(): void {
    const pressing = this.#pressing;
    this.#pressing = [];
    for (const wire of pressing) wire.pressing = false;
    this.#pumpAll(pressing);
  }

  /** Writes to connections. After an exception, wakes the remaining ones again. */
  #pumpAll(wires: readonly SessionWire[]): void {
    const left = wires.values(); // the second loop continues where the first one ended
    try {
      for (const wire of left) this.#pump(wire);
    } finally {
      for (const wire of left) this.wake(wire);
    }
  }

  /** Writes a client's waiting bytes, unless its last write has not ended. */
  #pump(wire: SessionWire): void {
    while (!wire.writing) {
      const { session } = wire;
      const isMuch = session.link.queuedBytes > SMALL_BLOCK;
      const block = (isMuch ? this.#large : this.#small).take();
      const length = this.#fill(session, block);
      if (length > 0 && !wire.write(block, length)) return;
      this.release(block);
      if (length === 0 || !session.waits) return;
    }
  }

  #fill(session: RtmpSession, block: Uint8Array): number {
    try {
      return session.fill(block);
    } catch (error) {
      this.#host.log.bug(`The RTMP connection of ${session.address} is closed`, error);
      session.end("internal error", "an internal error of the server", true);
      return 0;
    }
  }
}

/** The connection of a session. */
class SessionWire implements Wire, StreamEvents {
  /** Whether the connection is in the list of those to write to. */
  dirty = false;
  /** Whether the connection is in the list of those with more than media to write. */
  pressing = false;
  readonly #sessions: RtmpSessions;
  readonly #socket: ByteSocket;
  #session: RtmpSession | undefined;
  #block: Uint8Array | undefined;

  constructor(sessions: RtmpSessions, socket: ByteSocket) {
    this.#sessions = sessions;
    this.#socket = socket;
  }

  get session(): RtmpSession {
    return this.#session!;
  }

  get writing(): boolean {
    return this.#socket.writing;
  }

  start(session: RtmpSession): void {
    this.#session = session;
    this.#socket.start(this);
  }

  /** @returns false: the block is in use until {@link onWritten} */
  write(block: Uint8Array, length: number): boolean {
    const isWritten = this.#socket.write(block, length);
    if (!isWritten) this.#block = block;
    return isWritten;
  }

  // Wire

  wake(): void {
    if (this.#session) this.#sessions.wake(this);
  }

  end(): void {
    this.#socket.end();
  }

  // StreamEvents

  onData(bytes: Uint8Array): void {
    this.#sessions.input("Cannot receive from an RTMP client", () => {
      this.session.receive(bytes);
      if (this.session.connection.state === "connected") this.#socket.trust?.();
    });
  }

  onEnd(): void {
    this.#sessions.input("Cannot end an RTMP connection", () => this.session.gone());
  }

  onWritten(): void {
    if (this.#block) this.#sessions.release(this.#block);
    this.#block = undefined;
    if (!this.session.waits) return;
    this.wake();
    this.#sessions.input("Cannot send to an RTMP client", () => {});
  }
}
