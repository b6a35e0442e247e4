// SOCK-060 to SOCK-068, CFG-020 to CFG-022: mails of scripts, taken by a real SMTP server.
import assert from "node:assert/strict";
import { SMTPServer } from "smtp-server";
import { Inbox } from "./support/inbox.ts";
import { sleep, until } from "../support/wait.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { freePort } from "../support/ports.ts";

const main = `${probe}
function onConnection(client) probe(client) end
results = {}
function send(mark, subject, content, ...)
  local mail = cumulus:sendMail("sender@example.org", subject, content, ...)
  results[mark] = {}
  function mail:onSent(error) table.insert(results[mark], { error or "sent", self == mail }) end
end
`;

interface Mail {
  readonly from: string;
  readonly to: string[];
  readonly text: string;
}

/** Refuses recipients called nobody; delays recipients called slow. */
class MailServer {
  readonly mails = new Inbox<Mail>();
  sessions = 0;
  // deno-lint-ignore no-explicit-any -- the package has no types
  readonly #server: any;

  constructor() {
    this.#server = new SMTPServer({
      disabledCommands: ["STARTTLS", "AUTH"],
      authOptional: true,
      disableReverseLookup: true,
      onConnect: (_session: unknown, done: () => void) => {
        this.sessions++;
        done();
      },
      // deno-lint-ignore no-explicit-any
      onRcptTo: (address: any, _session: unknown, done: (error?: Error) => void) =>
        done(address.address.startsWith("nobody") ? new Error("no such user") : undefined),
      // deno-lint-ignore no-explicit-any
      onData: (stream: any, session: any, done: () => void) => {
        let text = "";
        stream.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          // deno-lint-ignore no-explicit-any
          const to = rcptTo.map((recipient: any) => recipient.address);
          this.mails.push({ from: mailFrom.address, to, text });
          if (!to[0].startsWith("slow")) done(); // for those it never answers
        });
      },
    });
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve));
  }

  /** @throws {Timeout} */
  about(subject: string): Promise<Mail> {
    return this.mails.find(
      ({ text }) => text.includes(`Subject: ${subject}`),
      `the mail about ${subject}`,
    );
  }
}

const port = freePort();
const server = new MailServer();
const ini = `[smtp]
host = 127.0.0.1
port = ${port}
timeout = 600
`;

const result = (t: FactContext, mark: string): Promise<[string, boolean]> =>
  until(() => t.lua("return results[select(2, ...)][1]", mark), `onSent of ${mark}`);

scenario("mail", { www: { "": main }, ini }, ({ fact, slow }) => {
  slow("CFG-022", async (t) => {
    const alone = freePort();
    const silent = Deno.listen({ hostname: "127.0.0.1", port: alone });
    t.cleanup(() => silent.close());
    const other = await t.start({
      www: { "": main },
      ini: `[smtp]\nhost = 127.0.0.1\nport = ${alone}\ntimeout = 1\n`,
    });
    const peer = await t.connectTo(other);
    const began = Date.now();
    await peer.lua(`send("silent", "x", "y", "a@example.org")`);
    const [text] = await until(() => peer.lua("return results.silent[1]"), "onSent");
    assert.notEqual(text, "sent");
    const waited = Date.now() - began;
    assert.ok(waited > 800 && waited < 30_000, `${waited} ms`); // it is a minute unless told
  });

  slow("SOCK-067", async (t) => {
    const alone = freePort();
    const silent = Deno.listen({ hostname: "127.0.0.1", port: alone });
    t.cleanup(() => silent.close());
    const other = await t.start({
      www: {
        "": `${main}
        function onStop() NOTE("stopping") end
        function report()
          local mail = cumulus:sendMail("a@example.org", "", "", "b@example.org")
          function mail:onSent(error) NOTE("unsent: ", error) end
        end`,
      },
      ini: `[smtp]\nhost = 127.0.0.1\nport = ${alone}\ntimeout = 60\n`,
    });
    const peer = await t.connectTo(other);
    await peer.lua("report() report()");
    await sleep(200);
    await other.end();
    const told = other.log.items.filter((line) => /unsent: .+/.test(line));
    assert.equal(told.length, 2, other.log.items.join("\n"));
    assert.equal(told.some((line) => /\(null\)/.test(line)), false);
  });

  fact("SOCK-065", async (t) => {
    await t.lua(`send("dead", "x", "y", "a@example.org")`); // the server does not listen yet
    const [text] = await result(t, "dead");
    assert.match(text, new RegExp(`127\\.0\\.0\\.1:${port}`)); // long before the time-out
    await server.listen(port);
  });

  fact("SOCK-060", async (t) => {
    assert.equal(
      await t.lua(`
        local mail = cumulus:sendMail("sender@example.org", nil, nil, "a@example.org")
        return type(mail)`),
      "table",
    );
    const mail = await server.mails.find(({ to }) => to[0] === "a@example.org", "the empty mail");
    assert.equal(mail.from, "sender@example.org");
  });

  fact("SOCK-061", async (t) => {
    await t.lua(`send("once", "once", "content", "b@example.org")`);
    assert.deepEqual(await result(t, "once"), ["sent", true]);
    await t.lua(`send("next", "next", "content", "b@example.org")`);
    await result(t, "next");
    assert.equal(await t.lua("return #results.once"), 1);
  });

  fact("SOCK-062", async (t) => {
    assert.equal(await t.lua("return cumulus.configs.smtp.host"), "127.0.0.1");
    await t.lua(`send("configured", "configured", "content", "c@example.org")`);
    assert.deepEqual((await server.about("configured")).to, ["c@example.org"]);
  });

  fact("SOCK-063", async (t) => {
    await t.lua(`send("all", "to all", "line one\\nline two", "d@example.org", "e@example.org")`);
    const { from, to, text } = await server.about("to all");
    assert.deepEqual([from, to], ["sender@example.org", ["d@example.org", "e@example.org"]]);
    assert.match(text, /^From: sender@example\.org/m);
    assert.match(text, /^To: d@example\.org, e@example\.org/m);
    assert.match(text, /line one\r\nline two/);
    assert.match(text, /^Content-Type: text\/plain/m);
  });

  fact("SOCK-064", async (t) => {
    const sessions = server.sessions;
    await t.lua(
      `for i = 1, 5 do send("order" .. i, "order " .. i, "content", "f@example.org") end`,
    );
    await result(t, "order5");
    const order = server.mails.items.map(({ text }) => /Subject: order (\d)/.exec(text)?.[1])
      .filter((place) => place !== undefined);
    assert.deepEqual(order, ["1", "2", "3", "4", "5"]);
    assert.ok(server.sessions - sessions <= 1, `${server.sessions - sessions} more sessions`);
  });

  fact("SOCK-066", async (t) => {
    await t.lua(`
      send("first", "first", "content", "g@example.org")
      send("bad", "bad", "content", "nobody@example.org")
      send("last", "last", "content", "g@example.org")`);
    assert.equal((await result(t, "first"))[0], "sent");
    assert.match((await result(t, "bad"))[0], /no such user/);
    assert.equal((await result(t, "last"))[0], "sent");
  });

  fact("SOCK-068", async (t) => {
    await t.lua(`
      cumulus:sendMail("sender@example.org", "unreferenced", "content", "h@example.org")
      for i = 1, 5 do collectgarbage() end`);
    await server.about("unreferenced");
  });

  fact("CFG-020", async (t) => {
    const other = await t.start({
      www: { "": main },
      ini: `[smtp]\nhost = no-such-host.invalid\ntimeout = 2\n`,
    });
    const peer = await t.connectTo(other);
    await peer.lua(`send("elsewhere", "x", "y", "a@example.org")`);
    const [text] = await until(() => peer.lua("return results.elsewhere[1]"), "onSent");
    assert.match(text, /no-such-host\.invalid/);
  });

  fact("CFG-021", async (t) => {
    const other = freePort();
    const server = new MailServer();
    await server.listen(other);
    t.cleanup(() => server.close());
    const started = await t.start({
      www: { "": main },
      ini: `[smtp]\nhost = 127.0.0.1\nport = ${other}\n`,
    });
    const peer = await t.connectTo(started);
    await peer.lua(`send("port", "by its port", "content", "a@example.org")`);
    await server.about("by its port");
  });
});
