// Addresses that scripts can reach with the default lists, by every spelling of an address.
import assert from "node:assert/strict";
import { DEFAULT_SOCKET_LIMITS } from "../../src/net/sandbox/policy.ts";
import { ScriptSockets } from "../../src/net/sandbox/script_sockets.ts";
import { SocketHost } from "../../src/net/sandbox/socket_host.ts";
import { readConfig } from "../../src/config/config.ts";
import { sandboxPolicy } from "../../src/server/sandbox_policy.ts";
import { Peer } from "../conformance/support/peer.ts";
import { probed } from "../conformance/support/probe.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, sleep, until } from "../support/wait.ts";

/** Hosts that scripts may not reach, and the message. */
const spellings = [
  // the metadata service of clouds, in every base, and in fewer parts
  ...["169.254.169.254", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "2852039166", "0xA9FEA9FE"],
  ...["025177524776", "169.254.43518", "169.16689662", "169.0376.0xa9.254"],
  // inside IPv6: mapped, translated, compatible, NAT64, 6to4, Teredo
  ...[
    "::ffff:169.254.169.254",
    "[::ffff:a9fe:a9fe]",
    "::FFFF:A9FE:A9FE",
    "0:0:0:0:0:ffff:a9fe:a9fe",
  ],
  ...["0000:0000:0000:0000:0000:ffff:169.254.169.254", "::ffff:169.254.169.254%lo"],
  ...["::ffff:0:169.254.169.254", "::169.254.169.254", "64:ff9b::169.254.169.254"],
  ...["64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:5601:5601"],
  // other digits, and other dots
  ...["１６９.254.169.254", "169。254。169。254", "169．254．169．254"],
  // private and shared networks
  ...["10.0.0.1", "012.0.0.1", "0xa.1", "167772161", "172.16.0.1", "172.31.255.255", "192.168.0.1"],
  ...["192.168.257", "100.64.0.1", "100.127.255.255", "198.18.0.1", "192.0.0.192", "203.0.113.1"],
  ...["fd00:ec2::254", "fc00::1", "fe80::1", "fe80::1%eth0", "fec0::1", "2001:db8::1", "100::1"],
  // the unspecified address, broadcast and multicast
  ...["0.0.0.0", "0", "00", "0x0", "::", "[::]", "0.1.2.3", "255.255.255.255", "4294967295"],
  ...["224.0.0.1", "239.255.255.250", "ff02::1", "240.0.0.1"],
];
/** Invalid hosts, and hosts unknown to the resolver. */
const strange = [
  ...["169.254.169.254.", "169.254.169.254:80", "169.254.169.254/", "a@169.254.169.254", "[[::1]]"],
  ...["169.254.169.254#", " 169.254.169.254", "169.254.169.254\n", "169.254.169.254\0.example.org"],
  ...["4294967296", "0x1a9fea9fe", "169.254.169.256", "169.254.169.254.1", "169..254", "+10.0.0.1"],
];

const policy = (lines = "") => sandboxPolicy(readConfig(`[sandbox]\n${lines}`, "test.ini").config);

/** Results of connecting and sending a datagram to each host, and the number of counted refusals. */
async function outcomes(host: SocketHost, hosts: readonly string[]) {
  const sockets = new ScriptSockets(host);
  try {
    const connected = await Promise.all(hosts.map((name) =>
      new Promise<string>((resolve) => {
        const outcome = sockets.connect(name, 9, {
          onOpen: () => resolve("open"),
          onData: () => {},
          onClose: (error) => resolve(`closed: ${error}`),
        });
        if (typeof outcome === "string") resolve(`refused: ${outcome}`);
      })
    ));
    const sent: string[] = [];
    for (const name of hosts) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      sent.push(
        await new Promise<string>((resolve) => {
          const socket = sockets.bind(
            "0.0.0.0",
            0,
            { onDatagram: () => {}, onError: resolve },
            true,
          );
          if (typeof socket === "string") return resolve(socket);
          socket.send(Uint8Array.of(1), name, 9);
          timer = setTimeout(() => resolve("sent"), PATIENCE);
        }),
      );
      clearTimeout(timer);
    }
    return { connected, sent };
  } finally {
    sockets.close();
  }
}

Deno.test(`The sandbox refuses and counts ${spellings.length} spellings of forbidden addresses by TCP and UDP`, async () => {
  assert.ok(spellings.length >= 20);
  const host = new SocketHost(policy());
  try {
    const { connected, sent } = await outcomes(host, spellings);
    for (const [i, spelling] of spellings.entries()) {
      assert.match(
        connected[i],
        /connecting to .* is not allowed by \[sandbox\] connect$/,
        spelling,
      );
      assert.match(sent[i], /sending to .* is not allowed by \[sandbox\] udp$/, spelling);
    }
    assert.deepEqual(host.refusals, {
      connect: spellings.length,
      udp: spellings.length,
      listen: 0,
      mail: 0,
    });
  } finally {
    host.close();
  }
});

Deno.test("The sandbox reports an invalid host, and opens no connection", async () => {
  const host = new SocketHost(policy());
  try {
    const { connected, sent } = await outcomes(host, strange);
    for (const [i, spelling] of strange.entries()) {
      for (const outcome of [connected[i], sent[i]]) {
        assert.match(outcome, /not a host$|unknown host|not allowed by/, spelling);
      }
    }
  } finally {
    host.close();
  }
});

Deno.test("The sandbox refuses every spelling of loopback if the list lacks it", async () => {
  const host = new SocketHost(policy("connect = public\nudp = public"));
  const loopback = [
    ...["127.0.0.1", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "017700000001", "127.0.1.1"],
    ...["::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1"],
    ...["localhost", "LOCALHOST", "ⓛocalhost", "①②⑦.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
  ];
  try {
    const { connected, sent } = await outcomes(host, loopback);
    for (const [i, spelling] of loopback.entries()) {
      assert.match(connected[i], /not allowed by \[sandbox\] connect$/, spelling);
      assert.match(sent[i], /not allowed by \[sandbox\] udp$/, spelling);
    }
  } finally {
    host.close();
  }
});

Deno.test("The sandbox connects to the address that it checked, even if the name changes", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const answers: Record<string, string[][]> = {
    "rebinding.test": [["127.0.0.1"], ["169.254.169.254"]],
    "private.test": [["10.0.0.1"]],
    "mapped.test": [["::ffff:10.0.0.1"]],
    "zone.test": [["fe80::1%lo"]],
    "mixed.test": [["169.254.169.254", "127.0.0.1", "fd00::1"]],
    "odd.test": [["0x7f.1", "localhost", ""]],
  };
  let asked = 0;
  const host = new SocketHost(policy(), DEFAULT_SOCKET_LIMITS, (name) => {
    asked++;
    const left = answers[name];
    const addresses = left.length > 1 ? left.shift()! : left[0];
    return Promise.resolve(
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  });
  const sockets = new ScriptSockets(host);
  const connect = (name: string) =>
    new Promise<string>((resolve) =>
      sockets.connect(name, port, {
        onOpen: (_, { hostname }) => resolve(hostname),
        onData: () => {},
        onClose: (error) => resolve(`closed: ${error}`),
      })
    );
  try {
    assert.equal(await connect("rebinding.test"), "127.0.0.1");
    assert.equal(asked, 1, "the system is not asked again for the connection");
    assert.match(
      await connect("rebinding.test"),
      /connecting to rebinding.test \(169.254.169.254:\d+\) is not allowed/,
    );
    for (const name of ["private.test", "mapped.test", "zone.test"]) {
      assert.match(await connect(name), /not allowed by \[sandbox\] connect$/, name);
    }
    assert.equal(await connect("mixed.test"), "127.0.0.1");
    assert.match(await connect("odd.test"), /unknown host "odd.test"$/);
  } finally {
    sockets.close();
    host.close();
    listener.close();
  }
});

Deno.test("The sandbox looks up a name once for several datagrams, and checks each address", async () => {
  let asked = 0;
  const host = new SocketHost(policy(), DEFAULT_SOCKET_LIMITS, () => {
    asked++;
    return Promise.resolve([{ address: "10.0.0.1", family: 4 }]);
  });
  const sockets = new ScriptSockets(host);
  let refused = 0;
  const socket = sockets.bind("0.0.0.0", 0, { onDatagram: () => {}, onError: () => refused++ });
  assert.ok(typeof socket !== "string");
  try {
    for (let i = 0; i < 1000; i++) socket.send(Uint8Array.of(1), "private.test", 9);
    await until(() => refused === 1000 || undefined, "the refusals");
    assert.equal(asked, 1);
    assert.equal(host.refusals.udp, 1000);
  } finally {
    sockets.close();
    host.close();
  }
});

Deno.test("The sandbox reports a time-out if a peer or resolver does not answer", async () => {
  // a full queue of unaccepted connections: the next one gets no answer
  const listener = Deno.listen(
    { hostname: "127.0.0.1", port: 0, tcpBacklog: 1 } as Deno.TcpListenOptions,
  );
  const { port } = listener.addr;
  const filling = Array.from({ length: 4 }, () => Deno.connect({ hostname: "127.0.0.1", port }));
  const host = new SocketHost(
    policy(),
    { ...DEFAULT_SOCKET_LIMITS, connectTimeout: 2000 },
    () => new Promise(() => {}),
  );
  const sockets = new ScriptSockets(host);
  const connect = (name: string) =>
    new Promise<string | undefined>((resolve) =>
      sockets.connect(name, port, {
        onOpen: () => resolve("open"),
        onData: () => {},
        onClose: resolve,
      })
    );
  try {
    await sleep(100);
    assert.equal(await connect("slow.test"), `resolving "slow.test" took more than 2 s`);
    assert.match(await connect("127.0.0.1") ?? "", /^connecting took more than [0-2](\.\d+)? s$/);
    assert.equal(sockets.count, 0);
  } finally {
    sockets.close();
    host.close();
    listener.close();
    for (const conn of filling) await conn.then((conn) => conn.close(), () => {});
  }
});

Deno.test("The sandbox returns a refusal with its rule to the script, and the metrics count it", async () => {
  const numbers = freePort();
  const server = await TestServer.start({
    www: { "": probed },
    ini: `[http]\nport = ${numbers}\n[sandbox]\nmail = *@example.org\n`,
  });
  const peer = await Peer.connect(server.url());
  try {
    await peer.lua(`
      tcp = cumulus:createTCPClient()
      refusal = tcp:connect("192.168.1.1", 80)
      udp = cumulus:createUDPSocket(true)
      udp:send("x", "255.255.255.255:9")
      udp:send("x", "0xc0.0xa8.0.1:9")
      server = cumulus:createTCPServer()
      server:start(443)
      bind = cumulus:createUDPSocket():bind("0.0.0.0:53")
      local mail = cumulus:sendMail("a@example.org", "", "", "b@example.net")
      function mail:onSent(error) mailed = error end`);
    assert.equal(
      await peer.lua("return refusal"),
      "connecting to 192.168.1.1:80 is not allowed by [sandbox] connect",
    );
    assert.equal(
      await peer.lua("return bind"),
      "listening on 0.0.0.0:53 is not allowed by [sandbox] listen",
    );
    assert.equal(
      await until(() => peer.lua("return mailed"), "onSent"),
      "mail to b@example.net is not allowed by [sandbox] mail",
    );
    await server.logged(
      /TCPServer:start\(443\): listening on port 443 of all addresses is not allowed by \[sandbox\] listen/,
    );
    await server.logged(/0xc0.0xa8.0.1 \(192.168.0.1:9\) is not allowed by \[sandbox\] udp/);
    const text = await (await fetch(`http://127.0.0.1:${numbers}/metrics`)).text();
    for (const [rule, count] of Object.entries({ connect: 1, listen: 2, udp: 2, mail: 1 })) {
      assert.match(
        text,
        new RegExp(`^cumulus_sandbox_refusals_total\\{rule="${rule}"\\} ${count}$`, "m"),
      );
    }
  } finally {
    await peer.close();
    await server.stop();
  }
});
