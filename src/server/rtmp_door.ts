// The RTMP door: its TCP and TLS ports.
import { addressText } from "../common/address.ts";
import type { DoorRow } from "../monitor/snapshot.ts";
import { StreamListener, type StreamListenerOptions } from "../net/stream_socket.ts";
import { tcpError } from "../net/tcp.ts";
import { type PemCertificate, readPemCertificate } from "./certificate.ts";
import { type DoorHost, type OpenDoor, sendBufferOf } from "./doors.ts";
import { RtmpSessions } from "./rtmp_sessions.ts";
import { StartError } from "./start_error.ts";

/** @throws {StartError} if a port cannot be opened, or the certificate is invalid */
export async function openRtmpDoor(host: DoorHost): Promise<OpenDoor> {
  const config = host.config();
  const door = new RtmpDoor(host);
  const tls = await readPemCertificate("rtmp", config["rtmp.certificate"], config["rtmp.key"]);
  if (config["rtmp.tlsPort"] > 0 && !tls) {
    throw new StartError("[rtmp] tlsPort requires certificate and key");
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
  readonly #sessions: RtmpSessions;
  #listener: StreamListener | undefined;
  #tlsListener: StreamListener | undefined;
  #certificate: PemCertificate | undefined;

  constructor(host: DoorHost) {
    this.#host = host;
    this.#sessions = new RtmpSessions(host);
  }

  /** @throws {StartError} */
  listen(): void {
    this.#listener = this.#open("port", "rtmp", undefined);
  }

  /** @throws {StartError} */
  listenTls(certificate: PemCertificate): void {
    this.#tlsListener = this.#open("tlsPort", "rtmps", certificate);
    this.#certificate = certificate;
  }

  // OpenDoor

  flush(now: number): void {
    this.#sessions.flush(now);
  }

  get deadline(): number {
    return this.#sessions.deadline;
  }

  /** Reloads the certificate, which may be new in the same or other files. */
  reload(): void {
    if (!this.#tlsListener) return;
    const config = this.#host.config();
    readPemCertificate("rtmp", config["rtmp.certificate"], config["rtmp.key"])
      .then((certificate) => this.#renew(certificate))
      .catch((error) => this.#host.log.error(`Keeping the old certificate: ${error.message}`));
  }

  row(): DoorRow {
    return this.#sessions.row("rtmp");
  }

  async stop(): Promise<void> {
    const closed = [this.#listener?.close(), this.#tlsListener?.close()];
    this.#sessions.close();
    await Promise.all(closed);
  }

  #open(
    key: "port" | "tlsPort",
    protocol: "rtmp" | "rtmps",
    tls: PemCertificate | undefined,
  ): StreamListener {
    const config = this.#host.config();
    const options: StreamListenerOptions = {
      hostname: config["rtmp.address"],
      port: config[`rtmp.${key}`],
      ...tls && { tls },
      sendBuffer: sendBufferOf(config),
      native: config["rtmfp.native"] !== "off",
    };
    try {
      const listener = new StreamListener(
        options,
        (socket) => this.#sessions.accept(socket, protocol),
      );
      const { hostname, port } = listener;
      const at = addressText({ hostname, port });
      this.#host.log.note(`${protocol.toUpperCase()} server starts on TCP port ${port} (${at})`);
      return listener;
    } catch (error) {
      const where = `[rtmp] address = ${options.hostname}, ${key} = ${options.port}`;
      throw new StartError(`${where}: cannot be opened: ${tcpError(error)}`);
    }
  }

  async #renew(certificate: PemCertificate | undefined): Promise<void> {
    const { cert, key } = this.#certificate!;
    if (!certificate || (certificate.cert === cert && certificate.key === key)) return;
    await this.#tlsListener?.close();
    try {
      this.listenTls(certificate);
    } catch (error) {
      this.#host.log.error((error as Error).message);
      this.listenTls(this.#certificate!);
    }
  }
}
