// SocketHost starts the workers of sockets before scripts need them.
import assert from "node:assert/strict";
import {
  DEFAULT_SOCKET_LIMITS,
  PORT_BLOCK,
  type SandboxPolicy,
} from "../../src/net/sandbox/policy.ts";
import { ScriptSockets } from "../../src/net/sandbox/script_sockets.ts";
import { SocketHost } from "../../src/net/sandbox/socket_host.ts";
import { farPorts, freePort } from "../support/ports.ts";

const farPort = farPorts();

const base: SandboxPolicy = {
  connect: (ip) => ip === "127.0.0.1",
  udp: (ip) => ip === "127.0.0.1",
  listen: (_, port) => port >= 1024,
  permissions: {
    connect: ["127.0.0.1"],
    udp: ["127.0.0.1"],
    listen: (ip, port) =>
      Array.from(
        { length: PORT_BLOCK },
        (_, i) => `${ip.includes(":") ? `[${ip}]` : ip}:${port - port % PORT_BLOCK + i}`,
      ),
  },
};

/** Runs a test that can count the started workers. */
async function counting(
  policy: SandboxPolicy,
  test: (host: SocketHost, sockets: ScriptSockets, count: () => number) => Promise<void> | void,
): Promise<void> {
  const original = globalThis.Worker;
  let count = 0;
  globalThis.Worker = class extends original {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      count++;
    }
  };
  const host = new SocketHost(policy, DEFAULT_SOCKET_LIMITS);
  const sockets = new ScriptSockets(host);
  try {
    await test(host, sockets, () => count);
  } finally {
    sockets.close();
    host.close();
    globalThis.Worker = original;
  }
}

function useAll(sockets: ScriptSockets, ports: readonly number[]): void {
  const udpEvents = { onDatagram: () => {}, onError: (error: string) => assert.fail(error) };
  for (const port of ports) {
    const server = sockets.listen(port, { onAccept: () => undefined, onError: () => {} });
    assert.ok(typeof server !== "string", String(server));
    const bound = sockets.bind("0.0.0.0", port, udpEvents);
    assert.ok(typeof bound !== "string", String(bound));
  }
  const unbound = sockets.bind("0.0.0.0", 0, udpEvents);
  assert.ok(typeof unbound !== "string", String(unbound));
}

Deno.test("SocketHost prepares one worker for expected ports, and uses it for TCP and UDP", () =>
  counting(base, (host, sockets, count) => {
    const ports = [freePort(), farPort()];
    host.prepare({ ports, connects: false });
    assert.equal(count(), 1);
    useAll(sockets, ports);
    host.prepare({ ports, connects: false });
    assert.equal(count(), 1, "no second worker");
  }));

Deno.test("SocketHost prepares no worker for forbidden or unexpected ports", () =>
  counting({
    ...base,
    permissions: { ...base.permissions, connect: [], udp: [] },
    listen: () => false,
  }, (host, _, count) => {
    host.prepare({ ports: [2323], connects: true });
    host.prepare({ ports: [], connects: false });
    assert.equal(count(), 0);
  }));

Deno.test("SocketHost prepares the worker of connections if the configuration expects connections", () =>
  counting(base, async (host, sockets, count) => {
    host.prepare({ ports: [], connects: true });
    assert.equal(count(), 1);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await new Promise<void>((resolve, reject) => {
      const outcome = sockets.connect("127.0.0.1", listener.addr.port, {
        onOpen: () => resolve(),
        onData: () => {},
        onClose: reject,
      });
      if (typeof outcome === "string") reject(outcome);
    });
    listener.close();
    assert.equal(count(), 1);
  }));

Deno.test("SocketHost gives the worker of TCP servers no permission for addresses that only UDP may use", () =>
  counting({
    ...base,
    permissions: { ...base.permissions, connect: ["127.0.0.2"] },
  }, async (host, sockets, count) => {
    const port = freePort();
    host.prepare({ ports: [port], connects: false });
    assert.equal(count(), 1);
    useAll(sockets, [port]);
    assert.equal(count(), 3);
    const link = host.listening(port);
    assert.ok(typeof link !== "string");
    const told = new Promise<string>((resolve) => {
      const id = link.add((message) => resolve(JSON.stringify(message)));
      link.post({ op: "connect", id, hostname: "127.0.0.1", port: 9, timeout: 1000 });
    });
    assert.match(await told, /Requires net access to \\"127.0.0.1:9\\"/);
  }));

Deno.test("SocketHost keeps its workers when only limits change, and replaces them for another policy", () =>
  counting(base, (host, sockets, count) => {
    const [port, other] = [freePort(), farPort()];
    host.prepare({ ports: [port, other], connects: false });
    host.reload(base, { ...DEFAULT_SOCKET_LIMITS, sockets: 3 });
    useAll(sockets, [port]);
    assert.equal(count(), 1);
    host.reload({ ...base }, DEFAULT_SOCKET_LIMITS);
    useAll(sockets, [other]);
    assert.ok(count() > 1);
  }));

Deno.test("SocketHost starts one worker per block of 1,024 ports, for at most 16 blocks", () =>
  counting(base, (_, sockets, count) => {
    const quiet = { onError: () => {}, onAccept: () => undefined };
    let block = 8;
    /** Listens on a port of a new block. */
    const open = (): ReturnType<ScriptSockets["listen"]> => {
      const first = PORT_BLOCK * block++;
      for (let port = first;; port++) {
        const opened = sockets.listen(port, quiet);
        const taken = typeof opened === "string" && /in use$/.test(opened) && !/block/.test(opened);
        if (!taken || port > first + 50) return opened;
      }
    };
    const servers = Array.from({ length: 16 }, open);
    for (const server of servers) assert.ok(typeof server !== "string", String(server));
    assert.equal(open(), "16 blocks of 1024 ports are in use");
    assert.equal(count(), 16);
    for (const server of servers.slice(0, 2)) (server as { close(): void }).close();
    for (let i = 0; i < 2; i++) assert.ok(typeof open() !== "string", "idle blocks make room");
    assert.equal(open(), "16 blocks of 1024 ports are in use");
    for (let i = 2; i < 40 && count() < 48; i++) {
      const opened = open();
      if (typeof opened !== "string") opened.close();
      else if (i < 16) (servers[i] as { close(): void }).close();
    }
    assert.equal(count(), 48);
    assert.match(open() as string, /^48 workers of sockets are in use or ending/);
    assert.equal(count(), 48, "ending workers still count");
  }));
