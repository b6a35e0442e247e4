// A server in this process, on a real port, whose application is TypeScript: for tests of clients
// that need neither Lua nor a process.
import { type AmfReader, type AmfValue, encodeAmf, encodeAmf0 } from "../../src/amf/mod.ts";
import { ipBytes, ipText } from "../../src/common/ip.ts";
import { FlashServer } from "../../src/flash/flash_server.ts";
import type { Application, Applications } from "../../src/media/application.ts";
import type { Client } from "../../src/media/client.ts";
import { Hub } from "../../src/media/hub.ts";
import type { Publication } from "../../src/media/publication.ts";
import { Refused } from "../../src/media/refused.ts";
import { bindUdp, UdpSocket } from "../../src/net/udp.ts";
import { serverCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import { DirectKeyAgreement } from "../../src/rtmfp/crypto/dh.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { type Policy, RELAXED } from "../../src/rtmfp/crypto/protection.ts";
import { Endpoint } from "../../src/rtmfp/endpoint.ts";

export interface SmallServer extends AsyncDisposable {
  readonly url: string;
  readonly hub: Hub;
  readonly endpoint: Endpoint;
  readonly clients: Map<string, Client>;
  /** One line per `connect`, call, frame with its time, failure and disconnection. */
  readonly log: string[];
}

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** Serves every path except "nowhere"; see {@link TestApplication}. */
export async function smallServer(policy: Policy = RELAXED): Promise<SmallServer> {
  const log: string[] = [];
  const application = new TestApplication(log);
  const applications: Applications = {
    open: (path) => path === "/nowhere" ? undefined : application,
    handshake: () => [],
    rendezvousUnknown: () => [],
    manage() {},
  };
  const ip = (text: string) => {
    const bytes = ipBytes(text);
    return bytes && ipText(bytes);
  };
  const hub = new Hub({
    random: (below) => Math.floor(Math.random() * below),
    log() {},
    ip,
  });
  hub.serve(applications);
  const flash = new FlashServer(hub, {
    keepAliveServer: 15_000,
    keepAlivePeer: 10_000,
    sha256: (bytes) => portable.sha256(bytes),
    resolve: () => undefined,
  });
  const endpoint = new Endpoint({
    crypto: portable,
    keyAgreement: new DirectKeyAgreement(random),
    random,
    identity: { certificate: serverCertificate(random), policy },
    handler: flash,
  });
  const socket = new UdpSocket(await bindUdp({ hostname: "127.0.0.1", port: 0 }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = () => {
    hub.now = performance.now();
    endpoint.flush(hub.now, socket);
    socket.flush();
    clearTimeout(timer);
    const { deadline } = endpoint;
    if (deadline < Infinity) timer = setTimeout(settle, Math.max(0, deadline - performance.now()));
  };
  const serving = socket.serve({
    receive(datagram, from) {
      hub.now = performance.now();
      endpoint.receive(datagram, from, hub.now);
    },
    settle,
    writable: settle,
  });
  return {
    url: `rtmfp://127.0.0.1:${socket.address.port}`,
    hub,
    endpoint,
    clients: hub.clients,
    log,
    async [Symbol.asyncDispose]() {
      endpoint.close();
      settle();
      clearTimeout(timer);
      socket.close();
      await serving;
    },
  };
}

/**
 * Accepts every client except one whose first parameter of connect is "refuse". Functions: `echo`
 * returns its first argument, `fail` fails, `greet` calls `hello("you")` on the client first,
 * `spoil` sends unreadable values.
 * Publishing or playing "secret" is refused.
 */
class TestApplication implements Application {
  readonly path = "";

  constructor(readonly log: string[]) {}

  connect(client: Client, values: AmfReader): undefined {
    const parameters: AmfValue[] = [];
    while (!values.done) parameters.push(values.readValue());
    this.log.push(`connect ${JSON.stringify(parameters)} ${client.flashVersion}`);
    if (parameters[0] === "refuse") throw new Refused("not you");
  }

  call(client: Client, name: string, values: AmfReader): boolean {
    this.log.push(`call ${name}`);
    switch (name) {
      case "echo": {
        const value = values.readValue();
        const encode = client.connection.objectEncoding === 0 ? encodeAmf0 : encodeAmf;
        client.connection.writer.result(encode(value));
        return true;
      }
      case "fail":
        throw new Refused("not today");
      case "greet":
        client.connection.writer.message("hello", encodeAmf("you"));
        client.connection.writer.result(encodeAmf(null));
        return true;
      case "spoil":
        client.connection.writer.message("spoiled", Uint8Array.of(0xff));
        client.connection.writer.result(Uint8Array.of(0xff));
        return true;
    }
    return false;
  }

  publish(_client: Client, { name }: { name: string }): void {
    if (name === "secret") throw new Refused("access denied");
  }

  subscribe(_client: Client, { publication }: { publication: { name: string } }): void {
    if (publication.name === "secret") throw new Refused("access denied");
  }

  failed(_client: Client, error: string): void {
    this.log.push(`failed ${error}`);
  }

  disconnect(): void {
    this.log.push("disconnect");
  }

  unpublish(): void {}
  unsubscribe(): void {}
  audio(_client: Client, _publication: Publication, time: number): void {
    this.log.push(`audio ${time}`);
  }

  video(_client: Client, _publication: Publication, time: number): void {
    this.log.push(`video ${time}`);
  }

  data(): void {}
  joinGroup(): void {}
  unjoinGroup(): void {}
  manage(): void {}
}
