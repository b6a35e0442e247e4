import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import { Mailer, type MailerOptions } from "../../src/net/mailer.ts";

interface Received {
  from: string;
  to: string[];
  text: string;
}

/** A real SMTP server, which refuses who is called "nobody", and mails of who is called "bad". */
async function withServer(
  test: (port: number, received: Received[], sessions: () => number) => Promise<void>,
  options: Record<string, unknown> = {},
): Promise<void> {
  const received: Received[] = [];
  let sessions = 0;
  // deno-lint-ignore no-explicit-any
  const server: any = new SMTPServer({
    disabledCommands: options.secure ? [] : ["STARTTLS"],
    authOptional: true,
    disableReverseLookup: true,
    onConnect: (_session: unknown, done: () => void) => {
      sessions++;
      done();
    },
    // deno-lint-ignore no-explicit-any
    onMailFrom: (address: any, _session: unknown, done: (error?: Error) => void) =>
      done(address.address.startsWith("bad") ? new Error("not from you") : undefined),
    // deno-lint-ignore no-explicit-any
    onRcptTo: (address: any, _session: unknown, done: (error?: Error) => void) =>
      done(address.address.startsWith("nobody") ? new Error("no such user") : undefined),
    // deno-lint-ignore no-explicit-any
    onData: (stream: any, session: any, done: () => void) => {
      let text = "";
      stream.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom.address,
          // deno-lint-ignore no-explicit-any
          to: rcptTo.map((to: any) => to.address),
          text,
        });
        done();
      });
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await test(server.server.address().port, received, () => sessions);
  } finally {
    await new Promise<void>((resolve) => server.close(resolve));
  }
}

async function withMailer(
  options: Partial<MailerOptions> & { port: number },
  test: (mailer: Mailer) => Promise<void>,
): Promise<void> {
  const mailer = new Mailer({ host: "127.0.0.1", timeout: 5, ...options });
  try {
    await test(mailer);
  } finally {
    mailer.close();
  }
}

/** Sends a mail and waits for its result, which must come once. */
function send(
  mailer: Mailer,
  { sender = "a@x.org", subject = "s", content = "c", recipients = ["b@y.org"] },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let called = 0;
    mailer.send({ sender, subject, content, recipients }, (error) => {
      assert.equal(++called, 1, "onSent is called once");
      resolve(error);
    });
    assert.equal(called, 0, "and not during the call");
  });
}

Deno.test("SOCK-060, SOCK-063: sender, all recipients, subject and text arrive", () =>
  withServer(async (port, received) => {
    await withMailer({ port }, async (mailer) => {
      const error = await send(mailer, {
        sender: "Le Serveur <srv@x.org>",
        subject: "Héllo",
        content: "line 1\n.\nline 3",
        recipients: ["b@y.org", "Zed <c@z.org>"],
      });
      assert.equal(error, undefined);
      assert.equal(received.length, 1);
      assert.equal(received[0].from, "srv@x.org");
      assert.deepEqual(received[0].to, ["b@y.org", "c@z.org"]);
      assert.match(received[0].text, /^From: Le Serveur <srv@x.org>\r$/m);
      assert.match(received[0].text, /^Subject: =\?UTF-8\?/m);
      assert.match(received[0].text, /line 1\r\n\.\r\nline 3/);
      assert.match(received[0].text, /^Content-Type: text\/plain; charset=utf-8\r$/m);
    });
  }));

Deno.test("SOCK-064, SOCK-066: mails go in order over one session, each with its own result", () =>
  withServer(async (port, received, sessions) => {
    await withMailer({ port }, async (mailer) => {
      const results = await Promise.all([
        send(mailer, { subject: "1" }),
        send(mailer, { subject: "2", recipients: ["b@y.org", "nobody@y.org"] }),
        send(mailer, { subject: "3", recipients: ["nobody@y.org"] }),
        send(mailer, { subject: "4" }),
      ]);
      assert.equal(results[0], undefined);
      assert.match(results[1]!, /nobody@y.org: .*no such user/);
      assert.match(results[2]!, /no such user/);
      assert.equal(results[3], undefined);
      assert.deepEqual(received.map(({ text }) => /^Subject: (\d)/m.exec(text)![1]), [
        "1",
        "2",
        "4",
      ]);
      assert.ok(sessions() <= 2, `${sessions()} sessions`);
    });
  }));

Deno.test("A refused sender is an error that says so, and the next mail is not tainted", () =>
  withServer(async (port, received) => {
    await withMailer({ port }, async (mailer) => {
      assert.match((await send(mailer, { sender: "bad@x.org" }))!, /not from you/);
      assert.equal(await send(mailer, {}), undefined);
      assert.equal(received.length, 1);
    });
  }));

Deno.test("SOCK-065: a dead host fails every queued mail promptly, naming host and port", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await withMailer({ port }, async (mailer) => {
    const started = performance.now();
    const results = await Promise.all([send(mailer, {}), send(mailer, {}), send(mailer, {})]);
    for (const error of results) {
      assert.match(error!, new RegExp(`is there an SMTP server at 127.0.0.1:${port}\\?`));
    }
    assert.ok(performance.now() - started < 4_000);
    assert.equal(mailer.pending, 0);
  });
});

Deno.test("A host that says nothing runs into the time-out", async () => {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await withMailer({ port, timeout: 1 }, async (mailer) => {
    assert.match((await send(mailer, {}))!, /[Tt]imeout|timed out|Greeting/);
  });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("SOCK-067: what is not sent when the server stops gets an error", async () => {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const mailer = new Mailer({ host: "127.0.0.1", port, timeout: 30 });
  const results = Promise.all([send(mailer, {}), send(mailer, {})]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  mailer.close();
  for (const error of await results) assert.match(error!, /stopped before/);
  assert.match((await send(mailer, {}))!, /is stopping/);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("Headers cannot be injected, and who is no address is refused", () =>
  withServer(async (port, received) => {
    await withMailer({ port }, async (mailer) => {
      for (
        const mail of [
          { subject: "x\r\nBcc: all@y.org" },
          { subject: "x\nBcc: all@y.org" },
          { sender: "a@x.org\r\nX-Evil: 1" },
          { recipients: ["b@y.org\nRCPT TO:<c@y.org>"] },
          { sender: "A\u2028 <a@x.org>" },
        ]
      ) assert.match((await send(mailer, mail))!, /control characters/);
      for (
        const recipients of [["nobody"], ["b@y.org, c@y.org"], ["<b@y.org> x"], [""], ["@"]]
      ) assert.match((await send(mailer, { recipients }))!, /no mail address/, recipients[0]);
      assert.match((await send(mailer, { recipients: [] }))!, /no recipient/);
      assert.equal(received.length, 0);
    });
  }));

Deno.test("The sandbox names who may get mail", () =>
  withServer(async (port, received) => {
    const allows = (to: string) => to.endsWith("@y.org");
    await withMailer({ port, allows }, async (mailer) => {
      assert.match(
        (await send(mailer, { recipients: ["b@y.org", "Y <b@evil.org>"] }))!,
        /not allowed by \[sandbox\] mail/,
      );
      assert.equal(await send(mailer, {}), undefined);
      assert.equal(received.length, 1);
      assert.equal(mailer.refused, 1);
    });
  }));

Deno.test("User and password are given where they are configured, and a wrong one is told", () =>
  withServer(async (port, received) => {
    const login = { port, user: "me", password: "right" };
    await withMailer(login, async (mailer) => assert.equal(await send(mailer, {}), undefined));
    await withMailer({ ...login, password: "wrong" }, async (mailer) => {
      assert.match((await send(mailer, {}))!, /Invalid login|535/);
    });
    assert.equal(received.length, 1);
  }, {
    allowInsecureAuth: true,
    authOptional: false,
    // deno-lint-ignore no-explicit-any
    onAuth: (auth: any, _session: unknown, done: (error: Error | null, result?: unknown) => void) =>
      auth.username === "me" && auth.password === "right"
        ? done(null, { user: 1 })
        : done(new Error("no")),
  }));
