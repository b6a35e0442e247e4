import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import { Mailer, type MailerOptions } from "../../src/net/mailer.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE } from "../support/wait.ts";

interface Received {
  from: string;
  to: string[];
  text: string;
}

/** A real SMTP server. It refuses the recipient "nobody" and mails of the sender "bad". */
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
  server.on("error", () => {}); // for example a client that rejects the certificate
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
  const mailer = new Mailer({ host: "127.0.0.1", timeout: 60, ...options });
  try {
    await test(mailer);
  } finally {
    mailer.close();
  }
}

/** Sends a mail and waits for its one result. */
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
    assert.equal(called, 0, "onSent is not called during the call");
  });
}

Deno.test("SOCK-060, SOCK-063: mailer sends sender, all recipients, subject and text", () =>
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

Deno.test("SOCK-064, SOCK-066: mailer sends mails in order over one session, and reports each result", () =>
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

Deno.test("mailer reports a refused sender, and sends the next mail", () =>
  withServer(async (port, received) => {
    await withMailer({ port }, async (mailer) => {
      assert.match((await send(mailer, { sender: "bad@x.org" }))!, /not from you/);
      assert.equal(await send(mailer, {}), undefined);
      assert.equal(received.length, 1);
    });
  }));

Deno.test("SOCK-065: mailer reports the reason for a host name with several addresses too", async () => {
  const port = freePort();
  await withMailer({ host: "localhost", port }, async (mailer) => {
    assert.match((await send(mailer, {}))!, /^.*REFUSED.* \(is there an SMTP server at localhost:/);
  });
});

Deno.test("SOCK-065: mailer fails every queued mail to a dead host promptly, with host and port", async () => {
  const port = freePort();
  await withMailer({ port, timeout: 600 }, async (mailer) => {
    const started = performance.now();
    const results = await Promise.all([send(mailer, {}), send(mailer, {}), send(mailer, {})]);
    for (const error of results) {
      assert.match(error!, new RegExp(`is there an SMTP server at 127.0.0.1:${port}\\?`));
    }
    assert.ok(performance.now() - started < PATIENCE);
    assert.equal(mailer.pending, 0);
  });
});

Deno.test("mailer gives up a silent host after the time-out", async () => {
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

Deno.test("SOCK-067: mailer reports an error for waiting mails when the server stops", async () => {
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

Deno.test("mailer rejects header injection and invalid recipients", () =>
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
      ) assert.match((await send(mailer, { recipients }))!, /not a mail address/, recipients[0]);
      assert.match((await send(mailer, { recipients: [] }))!, /no recipient/);
      assert.equal(received.length, 0);
    });
  }));

Deno.test("mailer sends only to the recipients that the sandbox allows", () =>
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

Deno.test("mailer sends the configured user and password, and reports wrong ones", () =>
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

Deno.test("mailer waits for a server whose answers together take longer than the time-out", () =>
  withServer(async (port, received) => {
    await withMailer({ port, timeout: 2 }, async (mailer) => {
      assert.equal(await send(mailer, {}), undefined);
      assert.equal(received.length, 1);
    });
  }, {
    // deno-lint-ignore no-explicit-any
    onRcptTo: (_address: any, _session: unknown, done: () => void) => void setTimeout(done, 1_100),
    // deno-lint-ignore no-explicit-any
    onMailFrom: (_address: any, _session: unknown, done: () => void) =>
      void setTimeout(done, 1_100),
  }));

// the lines of the answer never pause for the time-out
Deno.test("mailer gives up a server whose answer never ends", async () => {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write("220 here\r\n");
    const timer = setInterval(() => socket.write("250-more\r\n"), 20);
    socket.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await withMailer({ port, timeout: 1, maxTimeouts: 1 }, async (mailer) => {
    const results = await Promise.all([send(mailer, {}), send(mailer, {})]);
    for (const error of results) {
      assert.match(error!, new RegExp(`^127.0.0.1:${port} took more than 1 s for one mail$`));
    }
  });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("mailer fails a mail during which the server disconnects, but not the next mail", async () => {
  let connections = 0;
  const sockets: Socket[] = [];
  await withServer(async (real, received) => {
    const { connect } = await import("node:net");
    const server: Server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      if (connections++ === 0) {
        socket.write("220 here\r\n");
        socket.once("data", () => socket.destroy());
        return;
      }
      const through = connect(real, "127.0.0.1");
      sockets.push(through);
      through.on("error", () => {});
      socket.pipe(through).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await withMailer({ port }, async (mailer) => {
      assert.match((await send(mailer, {}))!, /closed|ended|ECONNRESET|reset/i);
      assert.equal(await send(mailer, {}), undefined);
      assert.equal(received.length, 1);
    });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

Deno.test("tls: mailer sends no mail unencrypted, or to a server with an invalid certificate", async () => {
  const login = { user: "me", password: "secret", timeout: 60 };
  const heard: string[] = [];
  const plain = {
    allowInsecureAuth: true,
    onAuth: (
      auth: { username: string },
      _session: unknown,
      done: (error: Error | null, result?: unknown) => void,
    ) => {
      heard.push(auth.username);
      done(null, { user: 1 });
    },
  };
  // a server without STARTTLS, and one without TLS
  await withServer(async (port, received) => {
    for (const tls of ["starttls", "on"] as const) {
      await withMailer({ ...login, port, tls }, async (mailer) => {
        assert.equal(typeof await send(mailer, {}), "string", tls);
      });
    }
    await withMailer({ ...login, port, tls: "off" }, async (mailer) => {
      assert.equal(await send(mailer, {}), undefined);
    });
    assert.equal(received.length, 1);
    assert.deepEqual(heard, ["me"]);
  }, plain);
  // servers whose certificate an unknown authority has signed
  for (const [tls, secure] of [["starttls", false], ["on", true]] as const) {
    await withServer(async (port, received) => {
      await withMailer({ ...login, port, tls }, async (mailer) => {
        assert.match((await send(mailer, {}))!, /certificate|self.signed|issuer/i, tls);
      });
      assert.equal(received.length, 0);
    }, { ...plain, secure, disabledCommands: [] });
  }
  assert.deepEqual(heard, ["me"]);
});

Deno.test("tls: mailer encrypts mail and password, from the start or after STARTTLS", async () => {
  const folder = new URL("tls/", import.meta.url);
  const [key, cert] = ["localhost.key", "localhost.pem"].map((name) =>
    Deno.readTextFileSync(new URL(name, folder))
  );
  // a process trusts the authorities given at its start, so the mailer runs in another process
  const mailer = new URL("../../src/net/mailer.ts", import.meta.url).href;
  const program = `import { Mailer } from ${JSON.stringify(mailer)};
    const [port, tls] = Deno.args;
    const login = { user: "me", password: "secret" };
    const mailer = new Mailer({ host: "localhost", port: Number(port), timeout: 60, tls, ...login });
    const mail = { sender: "a@x.org", subject: "s", content: "c", recipients: ["b@y.org"] };
    mailer.send(mail, (error) => { console.log(error ?? "sent"); mailer.close(); });`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  const sessions: unknown[] = [];
  try {
    for (const [tls, secure] of [["starttls", false], ["on", true]] as const) {
      await withServer(async (port, received) => {
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "--quiet", "--no-check", "--allow-all"],
            ...["--config", new URL("../../deno.json", import.meta.url).pathname],
            ...["--cert", new URL("authority.pem", folder).pathname, file, `${port}`, tls],
          ],
        }).output();
        const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
        assert.equal(said.trim(), "sent", tls);
        assert.equal(received.length, 1);
      }, {
        ...{ key, cert, secure, authOptional: false, disabledCommands: [] },
        onAuth: (
          auth: { username: string; password: string },
          session: { secure: boolean },
          done: (error: Error | null, result?: unknown) => void,
        ) => {
          sessions.push([auth.username, auth.password, session.secure]);
          done(null, { user: 1 });
        },
      });
    }
    assert.deepEqual(sessions, [["me", "secret", true], ["me", "secret", true]]);
  } finally {
    await Deno.remove(file);
  }
});
