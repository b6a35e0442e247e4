// Servers on a bus, for tests with a nats-server.
import { toHex } from "../../src/bytes/hex.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import type { NetStream } from "../../src/client/net_stream.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, until } from "../support/wait.ts";

const script = `
function onConnection(client)
  function client:echo(value) return value end
  function client:servers()
    local list = {}
    for i, server in cumulus.servers:ipairs() do list[i] = tostring(server.zone) .. " " .. tostring(server.load) end
    table.sort(list)
    return table.concat(list, ", ")
  end
  function client:say(text) cumulus.servers:broadcast("heard", text) end
end
function onServerConnection(server)
  NOTE("met ", server.zone)
  function server:heard(text) NOTE("heard ", text, " from ", self.zone) end
end
function onServerDisconnection(server) NOTE("lost ", server.zone) end
`;

const balance = Deno.readTextFileSync(new URL("../../www/balance/main.lua", import.meta.url));

/** Servers on one bus that are stopped when the test ends. */
export class Servers implements AsyncDisposable {
  readonly all: TestServer[] = [];

  constructor(readonly url: string) {}

  async start(zone: string, more = ""): Promise<TestServer> {
    const port = freePort();
    const ini = `publicAddress = 127.0.0.1:${port}\n[bus]\nservers = ${this.url}\n` +
      `properties = zone=${zone}\n${more}`;
    const www = { "": script, "/balance": balance };
    const server = await TestServer.start({ www, ini, port });
    this.all.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((server) => server.stop()));
  }
}

/** The frames of a played stream with their times. */
export class Frames {
  readonly got: string[] = [];
  readonly codes: string[] = [];

  constructor(readonly stream: NetStream) {
    stream.handler = {
      onStatus: ({ code }) => this.codes.push(code.replace("NetStream.", "")),
      onAudio: (time, data) => this.got.push(`a${time} ${toHex(data)}`),
      onVideo: (time, data) => this.got.push(`v${time} ${toHex(data)}`),
      onData: ({ name }) => this.got.push(name),
    };
  }

  static async of(server: TestServer, name: string, connection?: NetConnection): Promise<Frames> {
    connection ??= await connect(server);
    const frames = new Frames(await connection.createStream());
    await frames.stream.play(name);
    return frames;
  }

  async has(...frames: string[]): Promise<void> {
    const missing = () => frames.filter((frame) => !this.got.includes(frame));
    await until(() => missing().length === 0, "frames").catch(() => {
      throw new Error(`no ${missing()} in ${this.got}`);
    });
  }
}

export const connect = (server: TestServer) =>
  NetConnection.connect(server.url(), { timeout: PATIENCE });

export const [VIDEO_HEADER, AUDIO_HEADER] = ["1700000000aa", "af001210"];
export const KEY = "170100000011";
export const inter = (n: number) => `27010000000${n}`;
export const bytes = (hex: string) => Uint8Array.fromHex(hex);

/** Publishes unique frames until the server ends it because its name is taken. */
export class Source {
  readonly codes: string[] = [];
  #sent = 0;

  private constructor(
    readonly mark: string,
    readonly stream: NetStream,
  ) {
    stream.handler = { onStatus: ({ code }) => this.codes.push(code) };
  }

  static async of(mark: string, connection: NetConnection, name: string): Promise<Source> {
    const source = new Source(mark, await connection.createStream());
    await source.stream.publish(name);
    return source;
  }

  get ended(): boolean {
    return this.codes.includes("NetStream.Publish.BadName");
  }

  /** A key frame. */
  send(): void {
    if (this.ended) return;
    const count = toHex(Uint8Array.of(this.#sent >> 8, this.#sent & 0xff));
    this.stream.sendVideo(this.#sent++ * 10, bytes(`1701000000${this.mark}${count}`));
  }
}

/** Sources of the frames received from an index on. */
export const marks = ({ got }: Frames, from: number) =>
  got.slice(from).filter((frame) => frame.startsWith("v")).map((frame) =>
    frame.split(" ")[1].slice(10, 12)
  );
