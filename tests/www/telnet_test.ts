import assert from "node:assert/strict";
import { Inbox } from "../conformance/support/inbox.ts";
import { sleep, until } from "../support/wait.ts";
import { Peer } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { shipped, type Www, www } from "./support.ts";

const encoder = new TextEncoder();
const bytesOf = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => typeof part === "string" ? [...encoder.encode(part)] : [part]),
  );

/** A telnet user. */
class User {
  readonly lines = new Inbox<string>();
  /** Commands of telnet, of three bytes each. */
  readonly raw: number[] = [];
  readonly ended: Promise<void>;
  #rest = "";

  constructor(readonly conn: Deno.TcpConn, read = true) {
    this.ended = read ? this.#read() : Promise.resolve();
  }

  static async connect(port: number, name?: string): Promise<User> {
    const user = new User(await Deno.connect({ hostname: "127.0.0.1", port }));
    await user.hears("* Your name?");
    if (name !== undefined) {
      await user.send(`${name}\r\n`);
      await user.hears(`* Welcome, ${name}. /help helps`);
    }
    return user;
  }

  async send(...parts: (string | number)[]): Promise<void> {
    const bytes = bytesOf(...parts);
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  hears(line: string): Promise<string> {
    return this.lines.find((heard) => heard === line, `"${line}" by telnet`);
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // closed already
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const length = await this.conn.read(buffer);
        if (length === null) break;
        const [raw, text] = [this.raw, [] as number[]];
        for (const byte of buffer.subarray(0, length)) {
          if (raw.length % 3 > 0 || byte === 255) raw.push(byte);
          else text.push(byte);
        }
        const decoded = decoder.decode(Uint8Array.from(text), { stream: true });
        const lines = (this.#rest + decoded)
          .split("\r\n");
        this.#rest = lines.pop()!;
        for (const line of lines) this.lines.push(line);
      }
    } catch {
      // closed here, or there with something unread
    }
    this.close();
  }
}

interface Chat extends Www {
  readonly port: number;
  user(name?: string): Promise<User>;
}

/** Runs a test with the application, which listens for telnet once a client has connected. */
function telnet(
  title: string,
  test: (t: Chat) => Promise<void>,
  { ini = "", refuses }: { ini?: string; refuses?: RegExp } = {},
): void {
  let port = 0;
  www(title, "telnet", async (t) => {
    const users: User[] = [];
    try {
      await test({
        ...t,
        port,
        async user(name) {
          const user = await User.connect(port, name);
          users.push(user);
          return user;
        },
      });
    } finally {
      for (const user of users) user.close();
      await Promise.all(users.map(({ ended }) => ended));
    }
  }, () => ({ ini: `[telnet]\nport = ${port = freePort()}\n${ini}`, refuses }));
}

telnet(
  "carries messages between Flash clients and telnet users",
  async ({ connect, user, port }) => {
    await assert.rejects(
      Deno.connect({ hostname: "127.0.0.1", port }),
      "no client has connected yet",
    );
    const anna = await connect(["Anna"]);
    const bert = await user("Bert");
    assert.deepEqual(await anna.called("onJoined"), ["Bert"]);
    await bert.send("Hello!\r\n");
    assert.deepEqual(await anna.called("onSaid"), ["Bert", "Hello!"]);
    await bert.hears("Bert: Hello!");
    assert.equal(await anna.call("say", "Hello yourself, äöü €"), 2);
    await bert.hears("Anna: Hello yourself, äöü €");
    assert.deepEqual(await anna.call("who"), ["Anna", "Bert"]);
    await bert.send("/who\r\n");
    await bert.hears("* Anna, Bert");
    const carl = await user("Carl");
    await bert.hears("* Carl is here");
    await carl.send("/to Anna psst\n/to Bert hush\n/to Nobody x\n/to\n/help\n/nonsense\n");
    assert.deepEqual(await anna.called("onWhispered"), ["Carl", "psst"]);
    await bert.hears("Carl whispers: hush");
    await carl.lines.find(
      () => carl.lines.items.filter((l) => l.startsWith("* /who")).length === 2,
      "help",
    );
    assert.equal(carl.lines.items.filter((line) => line === "* Nobody heard that").length, 2);
    assert.equal(await anna.call("whisper", "Bert", "pst"), true);
    await bert.hears("Anna whispers: pst");
    assert.equal(await anna.call("whisper", "Nobody", "pst"), false);
    await carl.send("/quit\r\n");
    await carl.hears("* Goodbye");
    await carl.ended;
    assert.deepEqual(await anna.called("onLeft"), ["Carl"]);
    bert.close();
    assert.equal(
      (await anna.calls.find(
        ({ args }) => args[0] === "Bert" && args.length === 1,
        "Bert's leaving",
        1,
      )).name,
      "onLeft",
    );
    await anna.close();
  },
);

telnet(
  "reports a Flash client's leaving, and frees its name",
  async ({ connect, user }) => {
    await connect(["Watch"]);
    const anna = await connect(["Anna Maria"]);
    const bert = await user("Bert");
    await bert.send("/to Anna Maria hello there\n");
    assert.deepEqual(await anna.called("onWhispered"), ["Bert", "hello there"]);
    await anna.close();
    await bert.hears("* Anna Maria has left");
    await user("Anna Maria");
  },
);

telnet(
  "requires names, and refuses a name in use by a Flash client or telnet user",
  async ({ connect, user }) => {
    const anna = await connect(["Anna"]);
    const bert = await user();
    await bert.send("\r\n");
    await bert.hears("* A name, please");
    await bert.send("Anna\r\n");
    await bert.hears("* Somebody is called Anna already");
    await bert.send("* Anna\r\n/quit\r\nB", 9, "ert\r\n");
    await bert.hears("* Welcome, B ert. /help helps");
    assert.equal(bert.lines.items.filter((line) => line === "* A name, please").length, 3);
    await assert.rejects(connect(["B ert"]), /Somebody is called B ert already/);
    await assert.rejects(connect([]), /A name, please/);
    assert.deepEqual(await anna.call("who"), ["Anna", "B ert"]);
  },
  { refuses: /is called|A name/ },
);

telnet(
  "reads lines in pieces, with any line end, and without telnet commands",
  async ({ connect, user }) => {
    const anna = await connect(["Anna"]);
    const bert = await user();
    const [IAC, DO, WILL, DONT, WONT, SB, SE, NOP] = [255, 253, 251, 254, 252, 250, 240, 241];
    for (const part of [[IAC], [WILL], [31], [IAC, DO, 1, "B"], ["er"], ["t\r"], ["\n"]]) {
      await bert.send(...part);
      await sleep(15);
    }
    await bert.hears("* Welcome, Bert. /help helps");
    await bert.send(
      "one\ntwo\r\nthr",
      IAC,
      NOP,
      "ee\r",
      0,
      "fo",
      IAC,
      SB,
      31,
      0,
      10,
      IAC,
      IAC,
      SE,
      13,
      10,
      IAC,
      SE,
    );
    await bert.send("ur", IAC, DONT, 3, IAC, WONT, 3, 0, "\r\n", IAC, SB, 24);
    await sleep(30);
    await bert.send(0, "xterm", IAC);
    await sleep(30);
    await bert.send(SE, "five", IAC, IAC, "\r\n");
    for (const text of ["one", "two", "three", "four", "five"]) {
      await bert.hears(`Bert: ${text}`);
      await anna.calls.find(({ args }) => args[1] === text, text);
    }
    assert.deepEqual(
      anna.calls.items.filter(({ name }) => name === "onSaid").map(({ args }) => args[1]),
      ["one", "two", "three", "four", "five"],
    );
    await bert.send(...Array.from({ length: 50 }, () => [IAC, DO, 1]).flat(), "still there\n");
    await bert.hears("Bert: still there");
    assert.deepEqual(bert.raw, [IAC, DONT, 31, IAC, WONT, 1]);
  },
);

telnet(
  "makes a user with too many messages wait, and disconnects a user that never ends a line",
  async ({ connect, user }) => {
    const anna = await connect(["Anna"]);
    const bert = await user("Bert");
    const began = performance.now();
    await bert.send("x\n".repeat(40));
    await bert.hears("* Slowly, please");
    const said = () => anna.calls.items.filter(({ name }) => name === "onSaid").length;
    await anna.calls.find(() => said() >= 9, "nine lines");
    await sleep(50);
    const heard = said();
    const most = 11 + 2 * (performance.now() - began) / 1000; // 10 at once, and two a second
    assert.ok(heard >= 9 && heard <= most, `${heard} lines`);
    const answers = await Promise.allSettled(
      Array.from({ length: 200 }, () => anna.call("say", "y")),
    );
    const refused = answers.flatMap((a) => a.status === "rejected" ? [String(a.reason)] : []);
    const taken = answers.length - refused.length;
    assert.ok(taken >= 10 && taken < 200, `${taken} were said`);
    assert.ok(refused.every((reason) => reason.includes("Slowly, please")), refused[0]);
    const endless = await user("Endless");
    await endless.send("z".repeat(30_000)).catch(() => {});
    await endless.ended; // at the next round of onManage
    const options = await user("Options");
    await options.send(255, 250, 1, "z".repeat(1000)).catch(() => {});
    await options.ended;
    assert.deepEqual(await anna.call("who"), ["Anna", "Bert"]);
  },
  { refuses: /Slowly/ },
);

telnet(
  "disconnects a user who does not read without delay for others",
  async ({ server, connect, user, port }) => {
    server.write(
      "www/telnet/main.lua",
      server.read("www/telnet/main.lua").replace(
        "AT_ONCE, PER_SECOND = 10, 2",
        "AT_ONCE, PER_SECOND = 1e6, 1",
      ),
    );
    const anna = await connect(["Anna"]);
    const deaf = new User(await Deno.connect({ hostname: "127.0.0.1", port }), false);
    try {
      await deaf.send("Deaf\n");
      await anna.calls.find(({ args }) => args[0] === "Deaf", "Deaf");
      const bert = await user("Bert");
      const left = anna.calls.find(({ name }) => name === "onLeft", "the leaving");
      let gone = false;
      left.then(() => gone = true, () => gone = true);
      const line = `${"€".repeat(400)}\r\n`;
      for (let i = 1; i < 1000 && !gone; i++) {
        await bert.send(line.repeat(20));
        await bert.send(`${i}\r\n`);
        await bert.hears(`Bert: ${i}`);
      }
      assert.deepEqual((await left).args, ["Deaf"]);
      await bert.send("all the same\r\n");
      await bert.hears("Bert: all the same");
    } finally {
      deaf.close();
    }
  },
);

telnet("truncates texts with 100,000 spaces, and answers at once", async ({ connect, user }) => {
  const [anna, spaces] = [await connect([`\t${" ".repeat(100_000)} Anna  `]), " ".repeat(1500)];
  const bert = await user("Bert");
  await bert.send(`/to   Anna a${spaces}b  \r\n  a${spaces}b  \r\n${spaces}\r\n/who${spaces}\r\n`);
  assert.deepEqual(await anna.called("onWhispered"), ["Bert", `a${" ".repeat(399)}`]);
  assert.deepEqual(await anna.called("onSaid"), ["Bert", `a${" ".repeat(399)}`]);
  await bert.hears("* Anna, Bert");
  assert.equal(await anna.call("say", `  a${" ".repeat(100_000)}b `), 2);
  assert.equal(await anna.call("say", " ".repeat(100_000)), 0);
});

telnet("disconnects a user who sends 60,000 lines at once", async ({ connect, user }) => {
  const anna = await connect(["Anna"]);
  const bert = await user("Bert");
  await bert.send("\n".repeat(60_000)).catch(() => {});
  await bert.ended;
  assert.deepEqual(await anna.called("onLeft"), ["Bert"]);
});

telnet("refuses the third telnet user with users = 2", async ({ connect, user, port }) => {
  const anna = await connect(["Anna"]);
  const bert = await user("Bert");
  await user();
  const third = new User(await Deno.connect({ hostname: "127.0.0.1", port }));
  await third.hears("* The chat is full");
  await third.ended;
  bert.close();
  assert.deepEqual(await anna.called("onLeft"), ["Bert"]);
  await user("Carl");
}, { ini: "users = 2\n" });

telnet(
  "refuses the third telnet user of one address with each = 2",
  async ({ connect, user, port }) => {
    await connect(["Anna"]);
    const [bert] = [await user("Bert"), await user()];
    const third = new User(await Deno.connect({ hostname: "127.0.0.1", port }));
    await third.hears("* Too many come from your address");
    await third.ended;
    try {
      const other = new User(await Deno.connect({ hostname: "::1", port }));
      await other.hears("* Your name?");
      other.close();
      await other.ended;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrNotAvailable)) throw error; // no IPv6
    }
    bert.close();
    await bert.ended;
    await until(async () => {
      const again = new User(await Deno.connect({ hostname: "127.0.0.1", port }));
      const line = await again.lines.find(() => true, "a line");
      again.close();
      await again.ended;
      return line === "* Your name?" || undefined;
    }, "the place of the user who has left");
  },
  { ini: "each = 2\n" },
);

Deno.test("www/telnet counts users by IPv4 address or IPv6 network", async () => {
  const script = shipped("telnet")["www/telnet/main.lua"];
  const [originOf] = /local function originOf[^]*?\nend\n/.exec(script)!;
  const server = await TestServer.start({
    www: {
      "": `${originOf}
        function onConnection(client)
          function client:origin(address) return originOf { peerAddress = address } end
        end`,
    },
  });
  const peer = await Peer.connect(server.url());
  try {
    for (
      const [address, origin] of [
        ["192.0.2.7:1000", "192.0.2.7"],
        ["[2001:db8:1:2:3:4:5:6]:1000", "2001:db8:1:2"],
        ["[2001:db8:1:2::6]:1000", "2001:db8:1:2"],
        ["[2001:db8:1:3::6]:1000", "2001:db8:1:3"],
        ["[2001:db8::6]:1", "2001:db8:0:0"],
        ["[2001:db8:0:1::]:1", "2001:db8:0:1"],
        ["[2001::3:4:5:6:7]:1", "2001:0:0:3"],
        ["[::1]:1", "0:0:0:0"],
        ["[fe80::1:2:3:4]:1", "[fe80::1:2:3:4]"],
      ]
    ) assert.equal(await peer.call("origin", address), origin, address);
  } finally {
    await peer.close();
    await server.stop();
  }
});

telnet(
  "keeps Flash clients after its script was edited, and lets telnet users reconnect",
  async ({ server, connect, user }) => {
    const anna = await connect(["Anna"]);
    const bert = await user("Bert");
    await sleep(20);
    server.write("www/telnet/main.lua", `${server.read("www/telnet/main.lua")}\n-- edited`);
    const carl = await connect(["Carl"]);
    await bert.hears("* The chat has to close");
    await bert.ended;
    assert.deepEqual(await carl.call("who"), ["Anna", "Carl"]);
    await user("Bert");
    assert.equal(await anna.call("say", "still here"), 3);
  },
);

telnet(
  "closes the connections of telnet users when the server stops",
  async ({ server, connect, user }) => {
    await connect(["Anna"]);
    const bert = await user("Bert");
    await server.end();
    await bert.ended;
  },
);

www(
  "serves a chat of Flash clients without a configured port",
  "telnet",
  async ({ server, connect }) => {
    const [anna, bert] = [await connect(["Anna"]), await connect(["Bert"])];
    assert.equal(await bert.call("say", "Hello"), 2);
    assert.deepEqual(await anna.called("onSaid"), ["Bert", "Hello"]);
    assert.ok(!server.log.items.some((line) => /[Tt]elnet users/.test(line)));
  },
);

Deno.test("www/telnet logs an unavailable port, and serves Flash clients", async () => {
  const taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const server = await TestServer.start({
    www: shipped("telnet"),
    ini: `[telnet]\nport = ${taken.addr.port}\n`,
  });
  const anna = await Peer.connect(server.url("/telnet"), { parameters: ["Anna"] });
  try {
    await server.logged(/^ERROR .*TCPServer:start\(\d+\): Address already in use/);
    await server.logged(/^WARN .*No telnet: port \d+ is not available/);
    assert.equal(await anna.call("say", "Hello"), 1);
  } finally {
    await anna.close();
    await server.stop();
    taken.close();
  }
});
