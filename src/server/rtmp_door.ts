// The RTMP door: TCP and TLS ports, and what moves bytes between them and the sessions of `rtmp`.
import type { DoorRow } from "../monitor/snapshot.ts";
import {
  StreamListener,
  type StreamListenerOptions,
  type StreamSocket,
} from "../net/stream_socket.ts";
import { tcpError } from "../net/tcp.ts";
import { RtmpServer } from "../rtmp/rtmp_server.ts";
import type { RtmpSession, Wire } from "../rtmp/rtmp_session.ts";
import { addressText } from "../rtmfp/wire/address.ts";
import { Blocks } from "./blocks.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { hmacSha256 } from "./digests.ts";
import type { DoorHost, OpenDoor } from "./doors.ts";
import { StartError } from "./start_error.ts";

/** Bytes of one write at most, where a frame or two wait and where more does; blocks kept of each. */
const SMALL_BLOCK = 8_192;
const LARGE_BLOCK = 65_536;
const SMALL_BLOCKS = 1_024;
const LARGE_BLOCKS = 64;
/** Bytes that the system keeps for a client: about what is on its way. RTMP-761. */
const SEND_BUFFER = 262_144;
/** Between two looks at what has lasted too long. Milliseconds. */
const MANAGE_INTERVAL = 500;

/** @throws {StartError} if a port cannot be had, or the certificate cannot be used */
export async function openRtmpDoor(host: DoorHost): Promise<OpenDoor> {
  const config = host.config();
  const door = new RtmpDoor(host);
  const tls = await readCertificate("rtmp", config["rtmp.certificate"], config["rtmp.key"]);
  if (config["rtmp.tlsPort"] > 0 && !tls) {
    throw new StartError("[rtmp] tlsPort: it needs certificate and key");
  }
  try {
    if (config["rtmp.port"] > 0) door.listen();
    if (config["rtmp.tlsPort"] > 0) door.listenTls(tls!);
  } catch (error) {
    await door.stop();
    throw error;
  }
  return door;
}

class RtmpDoor implements OpenDoor {
  readonly #host: DoorHost;
  readonly #server: RtmpServer;
  readonly #dirty = new Set<SessionWire>();
  readonly #small = new Blocks(SMALL_BLOCK, SMALL_BLOCKS);
  readonly #large = new Blocks(LARGE_BLOCK, LARGE_BLOCKS);
  #listener: StreamListener | undefined;
  #tlsListener: StreamListener | undefined;
  #certificate: Certificate | undefined;
  #manageAt = Infinity;

  constructor(host: DoorHost) {
    this.#host = host;
    const config = host.config();
    this.#server = new RtmpServer(host.hub, {
      hmac: hmacSha256,
      random: host.random,
      limits: {
        connections: config["rtmp.connections"] || Infinity,
        connectionsOfAddress: config["rtmp.connectionsOfAddress"] || Infinity,
        unconnected: config["rtmp.unconnected"],
        unconnectedOfAddress: config["rtmp.unconnectedOfAddress"],
      },
      sourceOf: ownerOf,
    });
  }

  /** @throws {StartError} */
  listen(): void {
    this.#listener = this.#open("port", "rtmp", undefined);
  }

  /** @throws {StartError} */
  listenTls(certificate: Certificate): void {
    this.#tlsListener = this.#open("tlsPort", "rtmps", certificate);
    this.#certificate = certificate;
  }

  // OpenDoor

  flush(now: number): void {
    if (now >= this.#manageAt) {
      this.#server.manage();
      this.#manageAt = this.#server.size > 0 ? now + MANAGE_INTERVAL : Infinity;
    }
    for (const wire of this.#dirty) {
      this.#dirty.delete(wire);
      this.#pump(wire);
    }
  }

  get deadline(): number {
    return this.#manageAt;
  }

  /** The certificate may be a new one, in the same files or in others. */
  reload(): void {
    if (!this.#tlsListener) return;
    const config = this.#host.config();
    readCertificate("rtmp", config["rtmp.certificate"], config["rtmp.key"])
      .then((certificate) => this.#renew(certificate))
      .catch((error) => this.#host.log.error(`The old certificate stays: ${error.message}`));
  }

  row(): DoorRow {
    const { size: sessions, unconnected, counters: { accepted, closed } } = this.#server;
    return { name: "rtmp", sessions, unconnected, accepted, closed, ...this.#server.traffic() };
  }

  // deno-lint-ignore require-await -- what sessions have to say is sent by the loop
  async stop(): Promise<void> {
    this.#listener?.close();
    this.#tlsListener?.close();
    this.#host.input("Cannot close RTMP connections", () => this.#server.close());
  }

  // For wires

  wake(wire: SessionWire): void {
    this.#dirty.add(wire);
  }

  release(block: Uint8Array): void {
    (block.length === SMALL_BLOCK ? this.#small : this.#large).give(block);
  }

  /** Something has come in on a connection, or has left. */
  input(what: string, action: () => void): void {
    this.#host.input(what, action);
  }

  /** Writes what waits for a client, unless a write is under way. */
  #pump(wire: SessionWire): void {
    if (wire.writing) return;
    const isMuch = wire.session.queuedBytes > SMALL_BLOCK;
    const block = (isMuch ? this.#large : this.#small).take();
    let length = 0;
    try {
      length = wire.session.fill(block);
    } catch (error) {
      this.#host.log.bug(`The RTMP connection of ${wire.session.address} is closed`, error);
      wire.session.end("chunk", "a fault of the server", true);
    }
    if (length > 0) wire.write(block, length);
    else this.release(block);
  }

  #open(
    key: "port" | "tlsPort",
    protocol: "rtmp" | "rtmps",
    tls: Certificate | undefined,
  ): StreamListener {
    const config = this.#host.config();
    const options: StreamListenerOptions = {
      hostname: config["rtmp.address"],
      port: config[`rtmp.${key}`],
      ...tls && { tls },
      ...config["rtmfp.native"] !== "off" && { sendBuffer: SEND_BUFFER },
    };
    try {
      const listener = new StreamListener(options, (socket) => this.#accept(socket, protocol));
      const { hostname, port } = listener;
      const at = addressText({ hostname, port });
      this.#host.log.note(`${protocol.toUpperCase()} server starts on TCP port ${port} (${at})`);
      return listener;
    } catch (error) {
      const where = `[rtmp] address = ${options.hostname}, ${key} = ${options.port}`;
      throw new StartError(`${where}: it cannot be opened: ${tcpError(error)}`);
    }
  }

  #renew(certificate: Certificate | undefined): void {
    const { cert, key } = this.#certificate!;
    if (!certificate || (certificate.cert === cert && certificate.key === key)) return;
    this.#tlsListener?.close();
    try {
      this.listenTls(certificate);
    } catch (error) {
      this.#host.log.error((error as Error).message);
      this.listenTls(this.#certificate!);
    }
  }

  #accept(socket: StreamSocket, protocol: "rtmp" | "rtmps"): void {
    this.#host.input("Cannot accept an RTMP connection", () => {
      const wire = new SessionWire(this, socket);
      const { hostname } = socket.peer;
      const address = addressText(socket.peer);
      const session = this.#server.accept(wire, { protocol, address, hostname });
      if (!session) return socket.end();
      wire.start(session);
      if (this.#manageAt === Infinity) this.#manageAt = this.#host.now() + MANAGE_INTERVAL;
    });
  }
}

/** A connection as its session knows it. */
class SessionWire implements Wire {
  readonly #door: RtmpDoor;
  readonly #socket: StreamSocket;
  #session: RtmpSession | undefined;
  #block: Uint8Array | undefined;

  constructor(door: RtmpDoor, socket: StreamSocket) {
    this.#door = door;
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
    this.#socket.start({
      onData: (bytes) =>
        this.#door.input("Cannot receive from an RTMP client", () => session.receive(bytes)),
      onWritten: () => this.#onWritten(session),
      onEnd: () => this.#door.input("Cannot end an RTMP connection", () => session.gone()),
    });
  }

  write(block: Uint8Array, length: number): void {
    this.#block = block;
    this.#socket.write(block.subarray(0, length));
  }

  // Wire

  wake(): void {
    if (this.#session) this.#door.wake(this);
  }

  end(): void {
    this.#socket.end();
  }

  #onWritten(session: RtmpSession): void {
    if (this.#block) this.#door.release(this.#block);
    this.#block = undefined;
    if (!session.waits) return;
    this.wake();
    this.#door.input("Cannot send to an RTMP client", () => {});
  }
}

/** An IPv4 address, or the /64 network of IPv6; undefined: this machine. */
function ownerOf(hostname: string): string | undefined {
  if (hostname === "::1" || hostname.startsWith("127.")) return undefined;
  if (!hostname.includes(":")) return hostname;
  const [head, tail] = hostname.split("::").map((text) => text === "" ? [] : text.split(":"));
  const zeros = tail ? 8 - head.length - tail.length : 0;
  const groups = [...head, ...new Array(Math.max(zeros, 0)).fill("0"), ...tail ?? []];
  return groups.slice(0, 4).join(":");
}
