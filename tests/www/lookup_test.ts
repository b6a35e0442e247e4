import assert from "node:assert/strict";
import { PATIENCE, sleep } from "../support/wait.ts";
import { Peer } from "../conformance/support/peer.ts";
import { probe } from "../conformance/support/probe.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { shipped, www, type WwwOptions } from "./support.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A web service that answers each word with pieces of bytes, one after the other. */
class Service {
  readonly port: number;
  readonly requests: string[] = [];
  /** Continues the answers at "hold". */
  release = () => {};
  readonly #held = new Promise<void>((resolve) => this.release = resolve);
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();

  /**
   * @param answers by word; "wait" is a pause, "hold" one until {@link release}, "hang" keeps the
   *   connection open from there on
   */
  constructor(readonly answers: Record<string, string | string[]>) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#serve();
  }

  close(): void {
    this.#listener.close();
    for (const conn of this.#open) conn.close();
    this.#open.clear();
  }

  async #serve(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#open.add(conn);
      this.#answer(conn).catch(() => {}).finally(() => {
        if (this.#open.delete(conn)) conn.close();
      });
    }
  }

  async #answer(conn: Deno.TcpConn): Promise<void> {
    let request = "";
    const buffer = new Uint8Array(4096);
    while (!request.includes("\r\n\r\n")) {
      const length = await conn.read(buffer);
      if (length === null) return;
      request += new TextDecoder().decode(buffer.subarray(0, length));
    }
    this.requests.push(request);
    const word = /^GET \/words\/(\S*) HTTP/.exec(request)?.[1] ?? "";
    for (const piece of [this.answers[word] ?? "HTTP/1.1 404 Not Found\r\n\r\n"].flat()) {
      if (piece === "hang") {
        await conn.read(buffer);
      } else if (piece === "wait") await sleep(30);
      else if (piece === "hold") await this.#held;
      else await writeAll(conn, bytes(piece));
    }
  }
}

async function writeAll(conn: Deno.TcpConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await conn.write(data.subarray(at));
}

/** Runs a test with the application and its web service. */
function lookup(
  title: string,
  answers: Service["answers"],
  test: (peer: Peer, service: Service, connect: () => Promise<Peer>) => Promise<void>,
  { ini = "", refuses }: WwwOptions = {},
): void {
  const service = { current: undefined as Service | undefined };
  www(
    title,
    "lookup",
    async ({ connect }) => {
      try {
        await test(await connect(), service.current!, () => connect());
      } finally {
        service.current!.close();
      }
    },
    () => {
      service.current = new Service(answers);
      return {
        ini: `[lookup]\nurl = http://127.0.0.1:${service.current.port}/words/\n` +
          (ini || `timeout = ${PATIENCE / 1000}\n`),
        refuses,
      };
    },
  );
}

/** Result of a look-up of a word. */
async function ask(peer: Peer, word: string): Promise<unknown> {
  const from = peer.calls.items.length;
  assert.equal(await peer.call("lookup", word), true);
  const { name, args } = await peer.calls.find(({ args }) => args[0] === word, word, from);
  return name === "onFound" ? args[1] : `not found: ${args[1]}`;
}

const ok = "HTTP/1.1 200 OK\r\n";

lookup("sends an answer in JSON to the client that asked", {
  tea: `${ok}Content-Type: application/json\r\nContent-Length: 40\r\n\r\n` +
    `{"word": "tea", "hot": true, "cups": 12}`,
  "%C3%A9t%C3%A9%20%2F..": `${ok}Content-Length: 6\r\n\r\n"\\u00e9"`.replace("6", "8"),
}, async (peer, service) => {
  assert.deepEqual(await ask(peer, "tea"), { word: "tea", hot: true, cups: 12 });
  assert.equal(await ask(peer, "été /.."), "é");
  assert.equal(
    service.requests[0].split("\r\n").sort().join("\n").trim(),
    [
      "Accept-Encoding: identity",
      "Accept: application/json",
      "Connection: close",
      "GET /words/tea HTTP/1.1",
      `Host: 127.0.0.1:${service.port}`,
      "User-Agent: CumulusServer",
    ].join("\n"),
  );
});

lookup("reads a body by its length, in chunks or until the end, in pieces of any size", {
  counted: `${ok}content-length:  9 , 9\r\n\r\n[1,2,"a"]`,
  whole: `${ok}Content-Length: 9\r\n\r\n[1,2,"a"]`,
  split: [
    `${ok}Content-Le`,
    "wait",
    "ngth: 9\r",
    "wait",
    `\n\r\n[1,`,
    "wait",
    `2,"`,
    "wait",
    `a"]`,
  ],
  chunked: `${ok}Transfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n` +
    `4;x=y\r\n[1,2\r\n5  \r\n,"a"]\r\n0\r\nTrailer: x\r\n\r\n`,
  slow: [
    `${ok}Transfer-Encoding: chunked\r\n\r\n`,
    ...[...'00004\r\n[1,2\r\n5\r\n,"a"]\r\n0\r\n\r\n'].flatMap((c) => [c, "wait"]),
    "hang",
  ],
  ended: [`${ok}\r\n[1,2`, "wait", `,"a"]`],
  bare: `HTTP/1.0 200\nContent-Length: 9\n\n[1,2,"a"]`,
  early: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n` +
    `${ok}Content-Length: 9\r\n\r\n[1,2,"a"]`,
  kept: [`${ok}Content-Length: 9\r\n\r\n[1,2,"a"]and more`, "hang"],
}, async (peer) => {
  for (
    const word of ["counted", "whole", "split", "chunked", "slow", "ended", "bare", "early", "kept"]
  ) {
    assert.deepEqual(await ask(peer, word), [1, 2, "a"], word);
  }
});

const big = "x".repeat(70_000);
lookup("reads a body larger than one block of the socket", {
  big: `${ok}Content-Length: 70002\r\n\r\n"${big}"`,
  bigger: `${ok}Transfer-Encoding: chunked\r\n\r\n11172\r\n"${big}"\r\n0\r\n\r\n`,
}, async (peer) => {
  assert.equal(await ask(peer, "big"), big);
  assert.equal(await ask(peer, "bigger"), big);
});

lookup("reports an answer other than JSON", {
  moved: "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
  broken: "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
  nothing: "HTTP/1.1 204 No Content\r\n\r\n",
  web: "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  html: `${ok}\r\n<html>`,
  short: `${ok}Content-Length: 10\r\n\r\n[1]`,
  cut: `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\n[1`,
  mute: [],
  garbage: "SSH-2.0-OpenSSH_9.6\r\n",
  compressed: `${ok}Content-Encoding: gzip\r\n\r\n`,
  encoded: `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`,
  two: `${ok}Content-Length: 3\r\nContent-Length: 4\r\n\r\n[1]`,
  negative: `${ok}Content-Length: -1\r\n\r\n`,
  size: `${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
  lies: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\n[1]\r\n0\r\n\r\n`,
  folded: `${ok}A: b\r\n c\r\n\r\n`,
  counted: `${ok}Content-Length: 262145\r\n\r\n`,
  endless: [`${ok}\r\n`, ..."x".repeat(5).split("").map((c) => c.repeat(60_000)), "hang"],
  chunk: `${ok}Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\n`,
  line: `${ok}A: ${"x".repeat(9000)}\r\n\r\n`,
  head: `${ok}${`A: ${"x".repeat(1000)}\r\n`.repeat(40)}\r\n`,
}, async (peer) => {
  const expected: Record<string, RegExp> = {
    moved: /redirects: 302, http:\/\/169\.254\.169\.254\/$/,
    broken: /answers 500 Internal Server Error$/,
    unknown: /answers 404 Not Found$/,
    nothing: /answers 204 No Content$/,
    web: /changes the protocol$/,
    html: /line 1, column 1: a value is missing$/,
    short: /ended before the answer did$/,
    cut: /ended before the answer did$/,
    mute: /ended before the answer did$/,
    garbage: /not HTTP\/1\.1$/,
    compressed: /is compressed: gzip$/,
    encoded: /is encoded: gzip, chunked$/,
    two: /Content-Length is invalid: 3, 4$/,
    negative: /Content-Length is invalid: -1$/,
    size: /size of a chunk is invalid$/,
    lies: /a chunk is longer than its size$/,
    folded: /a header of the answer is invalid$/,
    counted: /longer than 262144 bytes$/,
    endless: /longer than 262144 bytes$/,
    chunk: /longer than 262144 bytes$/,
    line: /a line of the answer is too long$/,
    head: /the head of the answer is too long$/,
  };
  for (const [word, problem] of Object.entries(expected)) {
    assert.match(String(await ask(peer, word)), problem, word);
  }
});

lookup("reports a service that does not answer within 1 s", { silent: ["hang"] }, async (peer) => {
  assert.match(String(await ask(peer, "silent")), /no answer within 1 s$/);
}, { ini: "timeout = 1\n" });

lookup("sends one request for simultaneous equal look-ups", {
  tea: ["hold", `${ok}Content-Length: 3\r\n\r\n"x"`],
}, async (anna, service, connect) => {
  const [bert, carl] = [await connect(), await connect()];
  const asked = [anna, bert, carl].map((peer) => peer.call("lookup", "tea"));
  await Promise.all(asked);
  await carl.close(); // a leaving client does not block the others
  service.release();
  assert.deepEqual(await anna.called("onFound"), ["tea", "x"]);
  assert.deepEqual(await bert.called("onFound"), ["tea", "x"]);
  assert.equal(service.requests.length, 1);
  for (const word of ["a", "b", "c", "d"]) {
    service.answers[word] = ["hang"];
    await anna.call("lookup", word);
  }
  assert.equal(await anna.call("lookup", "a"), true, "it waits for that already");
  await assert.rejects(anna.call("lookup", "e"), /No more than 4 at a time/);
  await assert.rejects(anna.call("lookup", ""), /A word of 1 to 100/);
  await assert.rejects(anna.call("lookup", 17), /A word of 1 to 100/);
  await assert.rejects(anna.call("lookup", "x".repeat(101)), /A word of 1 to 100/);
}, { refuses: /at a time|A word of 1/ });

www(
  "reports a service that cannot be reached",
  "lookup",
  async ({ connect }) => {
    assert.match(String(await ask(await connect(), "tea")), /Connection refused$/);
  },
  () => ({ ini: `[lookup]\nurl = http://127.0.0.1:${freePort()}/\n` }),
);

const unset = "[lookup] url is not set in CumulusServer.ini";
for (
  const [url, problem] of [
    ["https://example.org/", /not an http URL/],
    ["http://me:secret@127.0.0.1/", /not an http URL/],
    ["http://127.0.0.1:99999/", /invalid port/],
    ["http://192.168.1.1/", /not allowed by \[sandbox\] connect/],
    ["", /url is not set/],
  ] as const
) {
  www(
    `logs the problem of the service URL "${url}", and refuses the call`,
    "lookup",
    async ({ server, connect }) => {
      const peer = await connect();
      await assert.rejects(
        peer.call("lookup", "tea"),
        ({ message }: Error) =>
          message.endsWith(`: ${url === "" ? unset : "The server cannot ask the service"}`),
      );
      await server.logged(problem);
      assert.deepEqual(peer.calls.items, []);
    },
    { ini: url && `[lookup]\nurl = ${url}\n`, refuses: /cannot ask the service|is not set/ },
  );
}

www(
  "reports a service's address in a private network as not allowed",
  "lookup",
  async ({ connect }) => {
    assert.match(String(await ask(await connect(), "tea")), /not allowed by \[sandbox\] connect$/);
  },
  { ini: "[lookup]\nurl = http://0xc0.168.1.1/\n" },
);

www(
  "asks waiting users to repeat after its script was edited",
  "lookup",
  async ({ server, connect }) => {
    const anna = await connect();
    const hang = Deno.listen({ hostname: "127.0.0.1", port: servicePort });
    try {
      await anna.call("lookup", "tea");
      await sleep(20);
      server.write("www/lookup/main.lua", `${server.read("www/lookup/main.lua")}\n-- edited`);
      await connect();
      assert.deepEqual(await anna.called("onNotFound"), [
        "tea",
        "the application has restarted",
      ]);
    } finally {
      hang.close();
    }
  },
  () => ({ ini: `[lookup]\nurl = http://127.0.0.1:${servicePort = freePort()}/\n` }),
);
let servicePort = 0;

const spaces = " ".repeat(100_000);

lookup("reports an answer full of spaces at once, and looks the word up again", {
  wide: `${ok}Content-Length: 100003\r\n\r\n[${spaces}\nx`,
  header: `${ok}X: a${spaces.slice(0, 8000)}b\r\nContent-Length: 1${
    spaces.slice(0, 8000)
  }, 1\r\n\r\n7`,
}, async (peer) => {
  for (let i = 0; i < 2; i++) {
    assert.match(String(await ask(peer, "wide")), /line 2, column 1: a value is missing$/);
    assert.equal(await ask(peer, "header"), 7);
  }
});

Deno.test("www/lookup/json.lua parses texts as JSON.parse does, or fails with the position", async () => {
  const server = await TestServer.start({
    www: {
      "": `${probe}\njson = require "json"\nfunction onConnection(client) probe(client) end`,
      "www/json.lua": shipped("lookup")["www/lookup/json.lua"],
    },
  });
  const peer = await Peer.connect(server.url());
  try {
    const good = [
      ...["true", "false", '""', "0", "-0.0", "-1", "1.5e3", "1E-2", "9007199254740991", "1e308"],
      ...["12345678901234567890", " [ ] ", "[[],[[1]]]", '{"a":{"b":[{"c":[]}]}}'],
      ...[
        '{"a b":2}',
        '{"a":1,"a":2}',
        '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
        '"\\u0041\\u00e9\\u20ac"',
      ],
      ...[
        '"\\ud83d\\ude00 \\uD83D\\uDE00"',
        '"é€😀\u007f"',
        '"\\u0000"',
        '[1,"two",true,{"x":-3.25}]',
      ],
      "[".repeat(100) + "]".repeat(100),
    ];
    for (const text of good) {
      const [value, problem] = await peer.lua(
        "local value, problem = json.decode(select(2, ...)) return { value, problem or 'none' }",
        text,
      );
      assert.equal(problem, "none", text);
      if (text !== "-0.0") assert.deepEqual(value, JSON.parse(text), text);
    }
    assert.deepEqual(await peer.lua("return json.decode(select(2, ...))", "\ufeff[1]"), [1]);
    assert.equal(await peer.lua(`return next(json.decode("\\t{\\r\\n}\\n")) == nil`), true);
    assert.deepEqual(
      await peer.lua(`
        local value = json.decode('{"a":null,"b":[1,null]}')
        local other = json.decode('{"a":null,"b":[1,null]}', json.null)
        return { next(value) == "b", value.b[2] == nil, other.a == json.null, tostring(other.b[2]) }`),
      [true, true, true, "null"],
    );
    assert.equal(await peer.lua(`return json.decode('{"":1}')[""]`), 1);
    assert.equal(await peer.lua(`return math.type(json.decode("17"))`), "integer");
    for (const half of ['"\\ud83d"', '"\\ude00"']) {
      assert.equal(await peer.lua("return json.decode(select(2, ...))", half), "\ufffd");
    }
    assert.equal(
      await peer.lua("return json.decode(select(2, ...))", '"\\ud83d\\u0041"'),
      "\ufffdA",
    );

    const bad: [text: string, problem: RegExp][] = [
      ["", /^line 1, column 1: a value is missing/],
      ["  \n ", /^line 2, column 2: a value is missing/],
      ["nul", /value is missing/],
      ["True", /value is missing/],
      ["01", /column 2: text after the value/],
      ["1.", /column 2: text after the value/],
      [".5", /value is missing/],
      ["+1", /value is missing/],
      ["0x10", /text after the value/],
      ["NaN", /value is missing/],
      ["1e999", /number is too large/],
      ["[1,]", /column 4: a value is missing/],
      ["[1 2]", /column 4: a , or \] is missing/],
      ["[1", /a , or \] is missing/],
      ["{", /name of a member is missing/],
      ['{"a":1,}', /column 8: the name of a member/],
      ["{a:1}", /name of a member/],
      ['{"a" 1}', /a : is missing/],
      ['{"a":1 "b":2}', /a , or } is missing/],
      ['{"a":\n1\n', /^line 3, column 1: a , or } is missing/],
      ['"abc', /a text does not end/],
      ['"a\nb"', /column 3: a control character/],
      ['"\\x41"', /an unknown escape/],
      ['"\\u12"', /four hexadecimal digits/],
      ['"\\', /an unknown escape/],
      ["[1] [2]", /text after the value/],
      ["'a'", /value is missing/],
      ["[".repeat(101), /column 101: more than 100 levels/],
      ['{"a":'.repeat(200_000), /more than 100 levels/],
    ];
    for (const [text, problem] of bad) {
      const [value, told] = await peer.lua(
        "local value, problem = json.decode(select(2, ...)) return { value == nil, problem or 'none' }",
        text,
      );
      assert.equal(value, true, text);
      assert.match(told, problem, text.slice(0, 40));
    }
    assert.match(
      await peer.lua(`return select(2, json.decode('["a\\xff"]'))`),
      /column 4: the text is not UTF-8/,
    );
  } finally {
    await peer.close();
    await server.stop();
  }
});
