import type { Address } from "../../common/address.ts";
import type { Tcp, TcpEvents } from "../../common/socket_events.ts";
import { FUNCTION } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Sockets } from "./host.ts";
import type { Binding } from "./binding.ts";
import { socketsOf } from "./sockets.ts";
import { TcpClient, tcpClient } from "./tcp_client.ts";

/** A TCP server of a script. SOCK-030 to SOCK-035. */
export class TcpServer {
  /** 0 before the first start; keeps its value after the end. */
  port = 0;
  readonly #api: Api;
  readonly #application: LuaApplication;
  readonly #sockets: Sockets;
  #listener: { close(): void } | undefined;

  constructor(api: Api) {
    this.#api = api;
    this.#application = api.running!;
    this.#sockets = socketsOf(api);
  }

  get running(): boolean {
    return this.#listener !== undefined;
  }

  /** @returns whether the server listens on the port now */
  start(port: number): boolean {
    this.stop();
    const outcome = this.#sockets.listen(port, {
      onAccept: (connection, local, peer) => this.#accept(connection, local, peer),
      onError: (error) =>
        this.#api.host.input("TCPServer", () => {
          this.#api.log("error", `TCPServer on port ${this.port}: ${error}`);
        }),
    });
    if (typeof outcome === "string") {
      this.#api.log("error", `TCPServer:start(${port}): ${outcome}`);
      return false;
    }
    this.port = outcome.port;
    this.#listener = outcome;
    this.#api.objects.strengthen(this);
    return true;
  }

  stop(): void {
    if (!this.#listener) return;
    this.#listener.close();
    this.#listener = undefined;
    this.#api.objects.weaken(this);
  }

  /** Calls the script with the new client, which stays open even if the script does not keep it (SOCK-017). */
  #accept(connection: Tcp, local: Address, peer: Address): TcpEvents | undefined {
    const api = this.#api;
    let events: TcpEvents | undefined;
    api.host.input("TCPServer:clientHandler", () => {
      if (!this.#listener) return;
      const handler = this.#handler();
      if (!handler) return; // without a handler the connection is closed
      const before = api.running;
      api.running = this.#application;
      const client = new TcpClient(api);
      const handle = api.objects.of(tcpClient, client);
      events = client.accept(connection, local, peer);
      api.running = before;
      api.callObject(this.#application, api.objects.find(this), handler, () => {
        handle.push(api.lua);
      });
    });
    return events;
  }

  /** The name of the handler that the script has set: SOCK-034, SOCK-035. */
  #handler(): string | undefined {
    const { lua, objects } = this.#api;
    const handle = objects.find(this);
    if (!handle) return undefined;
    handle.push(lua);
    const name = ["clientHandler", "onConnection"].find((name) => {
      lua.pushText(name);
      const type = lua.rawGet(-2);
      lua.pop();
      return type === FUNCTION;
    });
    lua.pop();
    return name;
  }
}

/** A TCP server, as scripts see it. SOCK-030 to SOCK-035. */
export const tcpServer: Binding<TcpServer, Api> = {
  name: "TCPServer",
  get: {
    port: (server) => server.port,
    running: (server) => server.running,
  },
  call: {
    start: (server, args) => server.start(args.number()),
    stop(server) {
      server.stop();
    },
  },
};
